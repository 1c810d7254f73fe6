package spikebench;

import java.util.concurrent.locks.LockSupport;

/**
 * The sending side of a trial: one sender, driven segment after segment by one thread at a time. It
 * waits for a message's time, holds it back while the confirm window is full, stamps and sends it.
 * Where the wiring says so, a lost connection is opened anew; what was unconfirmed then stays so.
 */
final class Outbox implements Confirms {
    private static final long CHECK_NS = 10_000_000;

    /**
     * The shortest time between two waits: messages due meanwhile go out together. Waking costs some
     * 10 µs of CPU, more than sending a message; at high rates it is done once for several of them.
     */
    private static final long TICK_NS = 250_000;

    private static final long TICK_AT_HIGH_RATES_NS = 1_000_000;
    private static final double HIGH_RATE_PER_S = 4_000;
    private static final long AGAIN_NS = 100_000_000;

    /**
     * A call into the client that takes this long was held up by it; a shorter one may as well have
     * been interrupted by the scheduler or the collector, which are the generator's own.
     */
    private static final long LONG_CALL_NS = 20_000_000;

    private final Failure failure;
    private final Wiring wiring;
    private final Driver driver;
    private final byte[][] templates;
    private final byte[][] keys;
    private final long lingerNs;
    private Sender sender;
    private boolean copiesBody;
    private volatile Outstanding outstanding;
    private volatile boolean stopped;
    private long gatheringSince;
    private long wokenAt;
    private long tickNs;
    private long calledAt;
    private long heldUntil;

    Outbox(Wiring wiring, Driver driver, byte[][] templates, byte[][] keys, Failure failure) {
        this.wiring = wiring;
        this.driver = driver;
        this.templates = templates;
        this.keys = keys;
        this.failure = failure;
        this.lingerNs = (long) (wiring.lingerMs() * 1e6);
        this.outstanding = new Outstanding(0, 0, wiring.confirmWindow());
    }

    void open() throws Exception {
        sender = driver.sender(this);
        copiesBody = sender.copiesBody();
    }

    Outstanding outstanding() {
        return outstanding;
    }

    /** Lets go of what was kept of the last segment, before one from {@code firstSeq} on is begun. */
    void forget(int firstSeq) {
        outstanding = new Outstanding(firstSeq, 0, wiring.confirmWindow());
    }

    void begin(Segment segment) {
        outstanding = new Outstanding(segment.firstSeq(), segment.size(), wiring.confirmWindow());
    }

    /** Sends the segment that was begun, and waits for it to be settled. */
    void run(Segment segment) {
        try {
            Outstanding current = outstanding;
            gatheringSince = 0;
            tickNs = Math.round(segment.ratePerS()) > HIGH_RATE_PER_S ? TICK_AT_HIGH_RATES_NS : TICK_NS;
            calledAt = System.nanoTime();
            sendAll(segment, current);
            settleAll(current, segment.settleNs());
        } catch (Throwable error) {
            failure.note("sender", error);
        }
    }

    @Override
    public void confirmed(int seq) {
        if (wiring.confirmed()) {
            settle(seq, true);
        }
    }

    @Override
    public void failed(int seq, String reason) {
        if (settle(seq, false)) {
            outstanding.note(reason);
        }
    }

    void stop() {
        stopped = true;
    }

    void close() throws Exception {
        if (sender != null) {
            sender.close();
        }
    }

    private boolean settle(int seq, boolean confirmed) {
        try {
            return outstanding.settle(seq, confirmed);
        } catch (IllegalStateException error) {
            failure.note("sender", error);
            return false;
        }
    }

    private void sendAll(Segment segment, Outstanding current) throws Exception {
        int i = 0;
        while (i < segment.size()) {
            try {
                i = sendFrom(i, segment, current);
            } catch (Exception lost) {
                reopen(lost, current, segment.deadline());
                i = current.sent();
            }
        }
    }

    /** Sends from message {@code i} on; returns the size where all are sent or time is over. */
    private int sendFrom(int first, Segment segment, Outstanding current) throws Exception {
        for (int i = first; i < segment.size(); i++) {
            long now = awaitDue(segment.due(i), segment.deadline());
            if (current.isFull(i)) {
                now = awaitRoom(i, current, segment.deadline());
            }
            if (now >= segment.deadline() || isOver()) {
                break;
            }
            send(i, segment, current, now);
        }
        return segment.size();
    }

    private void send(int i, Segment segment, Outstanding current, long now) throws Exception {
        int seq = segment.firstSeq() + i;
        byte[] template = templates[segment.templates()[i]];
        byte[] body = copiesBody ? template : template.clone();
        Header.patch(body, seq, now);
        current.sending(i, now, heldUntil);
        calledAt = now;
        sender.send(seq, keys[segment.keys()[i]], body);
        if (!wiring.confirmed()) {
            current.settle(seq, true);
        }
        if (gatheringSince == 0) {
            gatheringSince = now;
        }
    }

    /** Returns the time, once it is {@code due}; flushes what has lingered long enough meanwhile. */
    private long awaitDue(long due, long deadline) throws Exception {
        heldUntil = 0;
        long now = noteLongCall(calledAt);
        while (now < due && now < deadline && !isOver()) {
            long wake = Math.min(Math.max(due, wokenAt + tickNs), now + CHECK_NS);
            if (gatheringSince != 0 && now >= gatheringSince + lingerNs) {
                flush();
                noteLongCall(now);
            } else if (gatheringSince != 0) {
                wake = Math.min(wake, gatheringSince + lingerNs);
            }
            LockSupport.parkNanos(this, wake - System.nanoTime());
            now = wokenAt = System.nanoTime();
        }
        return now;
    }

    private long awaitRoom(int i, Outstanding current, long deadline) throws Exception {
        long now = System.nanoTime();
        while (current.isFull(i) && now < deadline && !isOver()) {
            flush();
            current.awaitRoom(Math.min(CHECK_NS, deadline - now));
            now = System.nanoTime();
        }
        heldUntil = now;
        return now;
    }

    /** Returns the time, and notes it where the client kept the thread for long since {@code since}. */
    private long noteLongCall(long since) {
        long now = System.nanoTime();
        if (now - since >= LONG_CALL_NS) {
            heldUntil = now;
        }
        return now;
    }

    private void settleAll(Outstanding current, long timeoutNs) throws Exception {
        long end = System.nanoTime() + timeoutNs;
        try {
            do {
                flush();
                current.awaitAll(CHECK_NS);
            } while (!current.isSettled() && System.nanoTime() < end && !isOver());
        } catch (Exception lost) {
            reopen(lost, current, end);
        }
    }

    /** Gives up what is unconfirmed and connects anew; throws where that is not asked for. */
    private void reopen(Exception lost, Outstanding current, long deadline) throws Exception {
        if (!wiring.reconnects()) {
            throw lost;
        }
        gatheringSince = 0;
        quietly(sender);
        current.abandon("the connection was lost: " + Failure.describe(lost));
        while (System.nanoTime() < deadline && !isOver()) {
            try {
                open();
                return;
            } catch (Exception away) {
                LockSupport.parkNanos(this, AGAIN_NS);
            }
        }
    }

    private static void quietly(AutoCloseable lost) {
        try {
            lost.close();
        } catch (Exception gone) {
            // It was lost already.
        }
    }

    private void flush() throws Exception {
        gatheringSince = 0;
        sender.flush();
    }

    private boolean isOver() {
        return stopped || failure.isNoted();
    }
}
