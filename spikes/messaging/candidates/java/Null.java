package spikes.messaging;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import spikebench.Confirms;
import spikebench.Driver;
import spikebench.Inbox;
import spikebench.Receiver;
import spikebench.Sender;
import spikebench.Wiring;

/** Hands messages over in memory, copying nothing: what the generator itself can do. */
public final class Null implements Driver {
    private static final int CAPACITY = 8_192;

    /** By subscriber, then member; members get messages in turn. */
    private final List<List<BlockingQueue<byte[]>>> queues = new ArrayList<>();

    @Override
    public void open(Wiring wiring) {
        for (int subscriber = 0; subscriber < wiring.subscribers(); subscriber++) {
            List<BlockingQueue<byte[]>> members = new ArrayList<>();
            for (int member = 0; member < wiring.consumers(); member++) {
                members.add(new ArrayBlockingQueue<>(CAPACITY));
            }
            queues.add(members);
        }
    }

    @Override
    public Sender sender(Confirms confirms) {
        return new NullSender(queues, confirms);
    }

    @Override
    public Receiver receiver(int subscriber, int member, Inbox inbox) {
        return new NullReceiver(queues.get(subscriber).get(member), inbox);
    }

    @Override
    public String version() {
        return "ArrayBlockingQueue, Java " + System.getProperty("java.version");
    }

    @Override
    public void close() {
        queues.clear();
    }

    private static final class NullSender implements Sender {
        private final List<List<BlockingQueue<byte[]>>> queues;
        private final Confirms confirms;
        private int turn;

        NullSender(List<List<BlockingQueue<byte[]>>> queues, Confirms confirms) {
            this.queues = queues;
            this.confirms = confirms;
        }

        @Override
        public void send(int seq, byte[] key, byte[] body) throws InterruptedException {
            for (int i = 0; i < queues.size(); i++) {
                List<BlockingQueue<byte[]>> members = queues.get(i);
                members.get(turn % members.size()).put(body);
            }
            turn = turn + 1 & Integer.MAX_VALUE;
            confirms.confirmed(seq);
        }

        @Override
        public void flush() {
            // Nothing is gathered.
        }

        @Override
        public void close() {
            // Nothing is held.
        }
    }

    private static final class NullReceiver implements Receiver {
        /** Threads that share a core would trade it for every message, without this pause to gather. */
        private static final long GATHER_NS = 50_000;

        private static final long IDLE_MS = 50;
        private final BlockingQueue<byte[]> queue;
        private final Inbox inbox;
        private final List<byte[]> batch = new ArrayList<>(CAPACITY);
        private volatile boolean stopped;

        NullReceiver(BlockingQueue<byte[]> queue, Inbox inbox) {
            this.queue = queue;
            this.inbox = inbox;
        }

        @Override
        public void run() throws InterruptedException {
            while (!stopped) {
                if (drain() == 0) {
                    LockSupport.parkNanos(GATHER_NS);
                    if (drain() == 0) {
                        await();
                    }
                }
            }
        }

        @Override
        public void stop() {
            stopped = true;
        }

        @Override
        public void close() {
            stopped = true;
        }

        private int drain() {
            int got = queue.drainTo(batch);
            inbox.deliver(batch.toArray(byte[][]::new));
            batch.clear();
            return got;
        }

        private void await() throws InterruptedException {
            byte[] body = queue.poll(IDLE_MS, TimeUnit.MILLISECONDS);
            if (body != null) {
                inbox.deliver(body);
            }
        }
    }
}
