package spikebench;

/** One receiver of a trial in its thread, with what it got. */
public final class Consumer {
    private static final long JOIN_MS = 5_000;

    public final int subscriber;
    public final int member;
    public final Arrivals arrivals;
    private final Failure failure;
    private Receiver receiver;
    private Thread thread;
    private volatile boolean stopping;

    Consumer(int subscriber, int member, Arrivals arrivals, Failure failure) {
        this.subscriber = subscriber;
        this.member = member;
        this.arrivals = arrivals;
        this.failure = failure;
    }

    /** Subscribes, then receives in a thread of its own; nothing where it does already. */
    void open(Driver driver) throws Exception {
        if (receiver != null) {
            return;
        }
        stopping = false;
        receiver = driver.receiver(subscriber, member, arrivals);
        thread = new Thread(this::run, name());
        thread.setDaemon(true);
        thread.start();
    }

    void stop() {
        stopping = true;
        if (receiver != null) {
            receiver.stop();
        }
    }

    /** Ends the thread and closes the connection; safe to call twice. */
    void close() throws Exception {
        if (receiver == null) {
            return;
        }
        stop();
        thread.join(JOIN_MS);
        if (thread.isAlive()) {
            failure.note(name(), new IllegalStateException("did not stop within 5 s"));
        }
        Receiver closing = receiver;
        receiver = null;
        closing.close();
    }

    private void run() {
        try {
            receiver.run();
            if (!stopping) {
                throw new IllegalStateException("stopped receiving by itself");
            }
        } catch (Throwable error) {
            if (!stopping) {
                failure.note(name(), error);
            }
        }
    }

    private String name() {
        return "receiver " + subscriber + "." + member;
    }
}
