package spikebench;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What one receiver got: written by the receiver's thread, taken away by another while it goes on. */
public final class Arrivals implements Inbox {
    private static final int BITS = 14;
    private static final int SIZE = 1 << BITS;
    private static final int BLOCKS = 1 << 14;
    private static final VarHandle COUNT = counter("count");
    private static final VarHandle FOREIGN = counter("foreign");

    /** Up to 16,384 arrivals: sequence numbers and receive times in ns. */
    public static final class Block {
        public final int[] seq;
        public final long[] receivedNs;

        Block() {
            this(new int[SIZE], new long[SIZE]);
        }

        private Block(int[] seq, long[] receivedNs) {
            this.seq = seq;
            this.receivedNs = receivedNs;
        }

        Block slice(int from, int to) {
            return new Block(
                    Arrays.copyOfRange(seq, from, to),
                    Arrays.copyOfRange(receivedNs, from, to));
        }
    }

    private final long hexTag;
    private final Journal journal;
    private final Block[] blocks = new Block[BLOCKS];
    private int count;
    private int foreign;
    private int taken;

    /** {@code journal} may be null. */
    Arrivals(int tag, Journal journal) {
        this.hexTag = Header.hex(tag);
        this.journal = journal;
    }

    @Override
    public void deliver(byte[] body) {
        long now = System.nanoTime();
        if (!Header.isOurs(body, hexTag)) {
            FOREIGN.setRelease(this, foreign + 1);
            return;
        }
        int i = count;
        if ((i & SIZE - 1) == 0) {
            blocks[i >> BITS] = new Block();
        }
        Block block = blocks[i >> BITS];
        block.seq[i & SIZE - 1] = Header.seq(body);
        block.receivedNs[i & SIZE - 1] = now;
        if (journal != null) {
            journal.add(block.seq[i & SIZE - 1], now);
        }
        COUNT.setRelease(this, i + 1);
    }

    /** How many messages of this trial arrived so far. */
    public int count() {
        return (int) COUNT.getAcquire(this);
    }

    /** How many messages arrived that are not of this trial. */
    public int foreign() {
        return (int) FOREIGN.getAcquire(this);
    }

    /** What arrived since the last call, in order; called from one thread at a time. */
    public Block[] take() {
        int end = count();
        List<Block> got = new ArrayList<>();
        while (taken < end) {
            int at = taken >> BITS;
            int from = taken & SIZE - 1;
            int to = Math.min(SIZE, end - (at << BITS));
            boolean whole = from == 0 && to == SIZE;
            got.add(whole ? blocks[at] : blocks[at].slice(from, to));
            if (to == SIZE) {
                blocks[at] = null;
            }
            taken = (at << BITS) + to;
        }
        return got.toArray(Block[]::new);
    }

    private static VarHandle counter(String field) {
        try {
            return MethodHandles.lookup().findVarHandle(Arrivals.class, field, int.class);
        } catch (ReflectiveOperationException error) {
            throw new ExceptionInInitializerError(error);
        }
    }
}
