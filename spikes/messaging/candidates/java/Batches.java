package spikes.messaging;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import spikebench.Confirms;
import spikebench.Sender;
import spikebench.Wiring;

/**
 * Sends over blocking calls that take several messages: gathers a batch, has threads carry it to each
 * destination, and settles its messages when all have answered. The harness flushes what lingers.
 */
final class Batches implements Sender {
    private static final int CLOSE_S = 10;

    /** One message on its way; {@code place} is its place in the batch. */
    record Message(int place, int seq, String key, byte[] body) {}

    /** One call that takes a batch somewhere; returns the places of refused messages, and why. */
    interface Carry {
        Map<Integer, String> carry(List<Message> messages) throws Exception;
    }

    private record Lane(Carry carry, ExecutorService threads) {}

    private final Confirms confirms;
    private final List<Lane> lanes = new ArrayList<>();
    private final int mostMessages;
    private final int mostBytes;
    private List<Message> gathered = new ArrayList<>();
    private int gatheredBytes;

    /** With {@code inFlight} 1 a destination's batches go one after another, which keeps their order. */
    Batches(
            Wiring wiring,
            Confirms confirms,
            List<Carry> destinations,
            int largestBatch,
            int largestBytes,
            int inFlight) {
        this.confirms = confirms;
        this.mostMessages = Math.min(wiring.batchMessages(), largestBatch);
        this.mostBytes = Math.min(wiring.batchBytes(), largestBytes);
        for (Carry destination : destinations) {
            lanes.add(new Lane(destination, Executors.newFixedThreadPool(inFlight, Daemon::thread)));
        }
    }

    /** How many calls a destination may have open: 1 to keep order, else the option's, or 4. */
    static int inFlight(Wiring wiring, boolean ordered) {
        return ordered ? 1 : Integer.parseInt(wiring.options().getOrDefault("in_flight", "4"));
    }

    @Override
    public void send(int seq, byte[] key, byte[] body) {
        if (!gathered.isEmpty() && gatheredBytes + body.length > mostBytes) {
            flush();
        }
        gathered.add(new Message(gathered.size(), seq, ascii(key), body));
        gatheredBytes += body.length;
        if (gathered.size() >= mostMessages) {
            flush();
        }
    }

    @Override
    public void flush() {
        if (gathered.isEmpty()) {
            return;
        }
        Batch batch = new Batch(gathered, lanes.size(), confirms);
        gathered = new ArrayList<>(mostMessages);
        gatheredBytes = 0;
        for (Lane lane : lanes) {
            lane.threads().execute(() -> batch.answer(carry(lane.carry(), batch.messages())));
        }
    }

    @Override
    public void close() throws Exception {
        flush();
        for (Lane lane : lanes) {
            lane.threads().shutdown();
        }
        for (Lane lane : lanes) {
            if (!lane.threads().awaitTermination(CLOSE_S, TimeUnit.SECONDS)) {
                lane.threads().shutdownNow();
                throw new IOException("calls were still unanswered after " + CLOSE_S + " s");
            }
        }
    }

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    static String ascii(byte[] text) {
        return new String(text, StandardCharsets.US_ASCII);
    }

    /** Any error refuses the whole batch: one that died with its thread would leave it unanswered. */
    private static Map<Integer, String> carry(Carry carry, List<Message> messages) {
        try {
            return carry.carry(messages);
        } catch (Exception error) {
            String reason = Aws.reason(error);
            Map<Integer, String> refused = new HashMap<>();
            messages.forEach(message -> refused.put(message.place(), reason));
            return refused;
        }
    }

    /** Confirms a message when every destination took it, and fails it when any refused it. */
    private static final class Batch {
        private final List<Message> messages;
        private final Confirms confirms;
        private final AtomicInteger open;
        private final Map<Integer, String> refused = new ConcurrentHashMap<>();

        Batch(List<Message> messages, int destinations, Confirms confirms) {
            this.messages = messages;
            this.confirms = confirms;
            this.open = new AtomicInteger(destinations);
        }

        List<Message> messages() {
            return messages;
        }

        void answer(Map<Integer, String> refusedThere) {
            refused.putAll(refusedThere);
            if (open.decrementAndGet() > 0) {
                return;
            }
            for (Message message : messages) {
                String reason = refused.get(message.place());
                if (reason == null) {
                    confirms.confirmed(message.seq());
                } else {
                    confirms.failed(message.seq(), reason);
                }
            }
        }
    }
}
