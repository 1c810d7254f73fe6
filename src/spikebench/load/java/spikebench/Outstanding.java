package spikebench;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * The messages of one segment: when each was sent, and when it was settled, that is confirmed or
 * refused. Each slot is written once, by the sending thread and by whichever client thread settles it.
 */
final class Outstanding {
    private static final int REASONS = 16;

    private final int firstSeq;
    private final int window;
    private final int roomToWake;
    private final long[] sentNs;
    private final long[] settledNs;
    private final AtomicInteger settled = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final Map<String, Integer> reasons = new LinkedHashMap<>();
    private final Held held = new Held();
    private volatile int sent;
    private volatile Thread waiting;
    private volatile int wakeAt;
    private int limit;

    Outstanding(int firstSeq, int size, int window) {
        this.firstSeq = firstSeq;
        this.window = window;
        // Waking the sender for every single place makes two threads on one core trade it for each
        // message; a quarter of the window is woken for at once.
        this.roomToWake = Math.max(1, window / 4);
        this.limit = window;
        this.sentNs = new long[size];
        this.settledNs = new long[size];
    }

    /**
     * Notes that message {@code i} goes out at {@code nowNs}, and until when the candidate held it
     * back (0 where it did not); the sending thread alone calls it.
     */
    void sending(int i, long nowNs, long heldUntilNs) {
        sentNs[i] = nowNs;
        if (heldUntilNs != 0) {
            held.add(i, heldUntilNs);
        }
        sent = i + 1;
    }

    /** Whether message {@code i} must wait for earlier ones to be settled. */
    boolean isFull(int i) {
        if (i < limit) {
            return false;
        }
        limit = settled.get() + window;
        return i >= limit;
    }

    /** Parks the sending thread until there is room in the window, or {@code timeoutNs} are over. */
    void awaitRoom(long timeoutNs) {
        await(sent - window + roomToWake, timeoutNs);
    }

    /** Parks the sending thread until all is settled, or {@code timeoutNs} are over. */
    void awaitAll(long timeoutNs) {
        await(sent, timeoutNs);
    }

    boolean isSettled() {
        return settled.get() >= sent;
    }

    int sent() {
        return sent;
    }

    int confirmed() {
        return settled.get() - refused.get();
    }

    int refused() {
        return refused.get();
    }

    /** Marks a message; true where it was not marked before. Throws where it was never sent. */
    boolean settle(int seq, boolean confirmed) {
        int i = seq - firstSeq;
        if (i < 0) {
            return false;
        }
        if (i >= sent) {
            throw new IllegalStateException("message " + seq + " was settled but never sent");
        }
        if (settledNs[i] != 0) {
            return false;
        }
        long now = System.nanoTime();
        settledNs[i] = confirmed ? now : -now;
        if (!confirmed) {
            refused.incrementAndGet();
        }
        wake(settled.incrementAndGet());
        return true;
    }

    /** Marks all that is not settled as refused, for {@code reason}; the sending thread calls it. */
    void abandon(String reason) {
        for (int seq = firstSeq; seq < firstSeq + sent; seq++) {
            if (settle(seq, false)) {
                note(reason);
            }
        }
    }

    void note(String reason) {
        synchronized (reasons) {
            boolean known = reasons.containsKey(reason) || reasons.size() < REASONS;
            reasons.merge(known ? reason : "other reasons", 1, Integer::sum);
        }
    }

    Map<String, Integer> reasons() {
        synchronized (reasons) {
            return new LinkedHashMap<>(reasons);
        }
    }

    /** When each message was sent; 0 for never. */
    long[] sentNs() {
        return sentNs;
    }

    /** When each message was confirmed; 0 for never, and minus the time for refused. */
    long[] settledNs() {
        return settledNs;
    }

    /** Until when a full window or a long call of the client held each back; 0 for not at all. */
    long[] heldUntilNs() {
        return held.untilNs(sentNs.length);
    }

    private void await(int settledEnough, long timeoutNs) {
        wakeAt = settledEnough;
        waiting = Thread.currentThread();
        if (settled.get() < settledEnough) {
            LockSupport.parkNanos(this, timeoutNs);
        }
        waiting = null;
    }

    private void wake(int settledNow) {
        Thread sleeper = waiting;
        if (sleeper != null && settledNow >= wakeAt) {
            waiting = null;
            LockSupport.unpark(sleeper);
        }
    }
}
