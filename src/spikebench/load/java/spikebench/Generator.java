package spikebench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Sends and receives the messages of one trial through a driver, and keeps account of each. Its
 * methods are called from one thread; the counters may be read from any, at any time.
 */
public final class Generator {
    private static final long JOIN_MS = 5_000;

    private final Wiring wiring;
    private final Driver driver;
    private final Failure failure = new Failure();
    private final Outbox outbox;
    private final List<Consumer> consumers = new ArrayList<>();
    private final boolean sends;
    private Thread sending;
    private boolean opened;

    /** Members of {@code receivers} are pairs of subscriber and member; {@code templates} may be empty. */
    public Generator(
            String driver,
            Wiring wiring,
            int tag,
            byte[][] templates,
            byte[][] keys,
            int[][] receivers)
            throws Exception {
        this.wiring = wiring;
        this.driver = (Driver) Class.forName(driver).getDeclaredConstructor().newInstance();
        this.outbox = new Outbox(wiring, this.driver, tagged(templates, tag), keys, failure);
        this.sends = templates.length > 0;
        for (int[] receiver : receivers) {
            Arrivals arrivals = new Arrivals(tag, journal(receiver));
            consumers.add(new Consumer(wiring, receiver[0], receiver[1], arrivals, failure));
        }
    }

    /** Opens the sender, where there is anything to send. */
    public void openSender() throws Exception {
        openDriver();
        if (sends) {
            outbox.open();
        }
    }

    /** Opens those receivers that are not open; each is subscribed when this returns. */
    public void openReceivers() throws Exception {
        openDriver();
        for (Consumer consumer : consumers) {
            consumer.open(driver);
        }
    }

    /** Closes the receivers; they can be opened again. */
    public void closeReceivers() throws Exception {
        consumers.forEach(Consumer::stop);
        for (Consumer consumer : consumers) {
            consumer.close();
        }
    }

    /** Makes room for a segment from {@code firstSeq} on: the heap need not hold two at once. */
    public void forget(int firstSeq) {
        refuseWhileSending();
        outbox.forget(firstSeq);
    }

    /** Starts to send; see {@link Segment} for the meaning of each. */
    public void begin(
            int firstSeq,
            long t0,
            long deadline,
            long settleNs,
            long[] offsets,
            int[] templates,
            int[] keys) {
        refuseWhileSending();
        Segment segment = new Segment(firstSeq, t0, deadline, settleNs, offsets, templates, keys);
        outbox.begin(segment);
        sending = new Thread(() -> outbox.run(segment), "sender");
        sending.setDaemon(true);
        sending.start();
    }

    /** Waits at most {@code timeoutMs} for the segment to end; true where it has ended. */
    public boolean ended(long timeoutMs) throws InterruptedException {
        if (sending == null) {
            return true;
        }
        if (timeoutMs > 0) {
            sending.join(timeoutMs);
        }
        return !sending.isAlive();
    }

    /** What went wrong first in any thread; null where nothing did. */
    public String failure() {
        return failure.text();
    }

    /** Messages of this segment handed to the client so far. */
    public int sent() {
        return outbox.outstanding().sent();
    }

    public int confirmed() {
        return outbox.outstanding().confirmed();
    }

    public int refused() {
        return outbox.outstanding().refused();
    }

    public Map<String, Integer> reasons() {
        return outbox.outstanding().reasons();
    }

    /** Messages received so far, by receiver, over all segments. */
    public int[] received() {
        return consumers.stream().mapToInt(consumer -> consumer.arrivals.count()).toArray();
    }

    /** When each message of the segment was sent, in ns; 0 for never. */
    public long[] sentNs() {
        return outbox.outstanding().sentNs();
    }

    /** Until when the candidate held each back, in ns; 0 where it did not. */
    public long[] heldUntilNs() {
        return outbox.outstanding().heldUntilNs();
    }

    /** When each was confirmed, in ns; 0 for never, and minus the time for refused. */
    public long[] settledNs() {
        return outbox.outstanding().settledNs();
    }

    public List<Consumer> consumers() {
        return consumers;
    }

    public String version() {
        return driver.version();
    }

    /** Calls that the driver's service has answered so far, by operation. */
    public Map<String, Long> callsAnswered() {
        return driver.callsAnswered();
    }

    /** Makes a running segment end at once. */
    public void abort() {
        outbox.stop();
    }

    /** Ends everything; tries each part, then throws what the first of them threw. */
    public void close() throws Exception {
        abort();
        List<Exception> errors = new ArrayList<>();
        attempt(() -> ended(JOIN_MS), errors);
        attempt(outbox::close, errors);
        attempt(this::closeReceivers, errors);
        attempt(driver, errors);
        if (!errors.isEmpty()) {
            throw errors.get(0);
        }
    }

    private void refuseWhileSending() {
        if (sending != null && sending.isAlive()) {
            throw new IllegalStateException("a segment is still being sent");
        }
    }

    private Journal journal(int[] receiver) throws Exception {
        if (wiring.journal().isEmpty()) {
            return null;
        }
        return new Journal(Path.of(wiring.journal()), receiver[0] + "." + receiver[1]);
    }

    private void openDriver() throws Exception {
        if (!opened) {
            driver.open(wiring);
            opened = true;
        }
    }

    private static byte[][] tagged(byte[][] templates, int tag) {
        byte[][] own = new byte[templates.length][];
        for (int i = 0; i < own.length; i++) {
            if (!Header.isPresent(templates[i])) {
                throw new IllegalArgumentException("template " + i + " does not start with a header");
            }
            own[i] = templates[i].clone();
            Header.tag(own[i], tag);
        }
        return own;
    }

    private static void attempt(AutoCloseable part, List<Exception> errors) {
        try {
            part.close();
        } catch (Exception error) {
            errors.add(error);
        }
    }
}
