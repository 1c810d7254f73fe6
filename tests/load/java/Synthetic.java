package synthetic;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.DelayQueue;
import java.util.concurrent.Delayed;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import spikebench.Confirms;
import spikebench.Driver;
import spikebench.Inbox;
import spikebench.Receiver;
import spikebench.Sender;
import spikebench.Wiring;

/**
 * Does to messages what its options say. {@code X_every} n means every n-th message, the one whose
 * sequence number leaves n - 1; {@code X_us} is a delay, {@code X_after} a sequence number;
 * {@code together} is how many are delivered at once.
 */
public final class Synthetic implements Driver {
    public static final AtomicInteger MOST_IN_FLIGHT = new AtomicInteger();
    public static final AtomicInteger FLUSHES = new AtomicInteger();
    public static volatile byte[] latestBody;

    /** With {@code collect}, every array that a body came in. */
    public static final Set<byte[]> BODIES =
            Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));

    private final ScheduledExecutorService broker = Executors.newScheduledThreadPool(1);
    private final List<DelayQueue<Item>> queues = new ArrayList<>();
    private final AtomicLong turn = new AtomicLong();
    private Wiring wiring;

    private record Item(byte[] body, long due, long turn) implements Delayed {
        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(due - System.nanoTime(), TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            int byTime = Long.compare(due, ((Item) other).due);
            return byTime != 0 ? byTime : Long.compare(turn, ((Item) other).turn);
        }
    }

    @Override
    public void open(Wiring wiring) throws IOException {
        this.wiring = wiring;
        if (wiring.options().containsKey("closed_door")) {
            throw new IOException("connection refused", new IllegalStateException("nobody is there"));
        }
        MOST_IN_FLIGHT.set(0);
        FLUSHES.set(0);
        for (int i = 0; i < wiring.subscribers(); i++) {
            queues.add(new DelayQueue<>());
        }
    }

    @Override
    public Sender sender(Confirms confirms) {
        return new SyntheticSender(confirms);
    }

    @Override
    public Receiver receiver(int subscriber, int member, Inbox inbox) {
        return new SyntheticReceiver(queues.get(subscriber), inbox);
    }

    @Override
    public String version() {
        return "synthetic 1";
    }

    @Override
    public Map<String, Long> callsAnswered() {
        return Map.of("flush", (long) FLUSHES.get());
    }

    @Override
    public void close() {
        broker.shutdownNow();
    }

    private int option(String name) {
        return Integer.parseInt(wiring.options().getOrDefault(name, "0"));
    }

    private boolean hits(String name, int seq) {
        int n = option(name);
        return n > 0 && seq % n == n - 1;
    }

    private final class SyntheticSender implements Sender {
        private final Confirms confirms;
        private final AtomicInteger inFlight = new AtomicInteger();
        private final List<Runnable> gathered = new ArrayList<>();
        private byte[] held;

        SyntheticSender(Confirms confirms) {
            this.confirms = confirms;
        }

        @Override
        public void send(int seq, byte[] key, byte[] body) throws Exception {
            latestBody = body;
            if (option("collect") > 0) {
                BODIES.add(body);
            }
            if (option("die_after") > 0 && seq == option("die_after")) {
                throw new IOException("connection reset");
            }
            if (hits("stall_every", seq)) {
                Thread.sleep(option("stall_us") / 1_000);
            }
            MOST_IN_FLIGHT.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
            byte[] kept = copiesBody() ? body.clone() : body;
            gathered.add(() -> carry(seq, kept));
            if (gathered.size() >= Math.max(1, wiring.batchMessages())) {
                carryAll();
            }
        }

        @Override
        public boolean copiesBody() {
            return option("copies") > 0;
        }

        @Override
        public void flush() {
            FLUSHES.incrementAndGet();
            carryAll();
        }

        @Override
        public void close() {
            carryAll();
        }

        private void carryAll() {
            gathered.forEach(Runnable::run);
            gathered.clear();
        }

        private void carry(int seq, byte[] body) {
            if (hits("refuse_every", seq)) {
                inFlight.decrementAndGet();
                confirms.failed(seq, "refused as asked");
                return;
            }
            if (!hits("forget_every", seq)) {
                Runnable confirm = () -> confirm(seq);
                broker.schedule(confirm, option("confirm_us"), TimeUnit.MICROSECONDS);
            }
            if (hits("lose_every", seq)) {
                return;
            }
            if (hits("swap_every", seq)) {
                held = body;
                return;
            }
            put(body);
            if (hits("duplicate_every", seq)) {
                put(body);
            }
            if (hits("foreign_every", seq)) {
                put("{\"_sb\":\"of somebody else\"}".getBytes());
            }
            if (held != null) {
                put(held);
                held = null;
            }
        }

        private void confirm(int seq) {
            inFlight.decrementAndGet();
            confirms.confirmed(seq);
            if (hits("confirm_twice_every", seq)) {
                confirms.confirmed(seq);
            }
        }

        private void put(byte[] body) {
            long due = System.nanoTime() + option("latency_us") * 1_000L;
            queues.forEach(queue -> queue.add(new Item(body, due, turn.incrementAndGet())));
        }
    }

    private final class SyntheticReceiver implements Receiver {
        private final DelayQueue<Item> queue;
        private final Inbox inbox;
        private final List<byte[]> gathered = new ArrayList<>();
        private volatile boolean stopped;
        private int delivered;

        SyntheticReceiver(DelayQueue<Item> queue, Inbox inbox) {
            this.queue = queue;
            this.inbox = inbox;
        }

        @Override
        public void run() throws Exception {
            while (!stopped) {
                Item item = queue.poll(20, TimeUnit.MILLISECONDS);
                if (item == null) {
                    continue;
                }
                gathered.add(item.body());
                if (gathered.size() < option("together")) {
                    continue;
                }
                inbox.deliver(gathered.toArray(byte[][]::new));
                delivered += gathered.size();
                gathered.clear();
                if (option("receiver_dies_after") == delivered) {
                    throw new IOException("consumer cancelled");
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
    }
}
