package spikebench;

/**
 * One receiver of a trial in its thread, with what it got. Where the wiring says so, a connection
 * that is lost is opened anew, again and again.
 */
public final class Consumer {
    private static final long JOIN_MS = 5_000;
    private static final long AGAIN_MS = 100;
    private static final long PATIENCE_NS = 20_000_000_000L;

    public final int subscriber;
    public final int member;
    public final Arrivals arrivals;
    private final Failure failure;
    private final boolean reconnects;
    private Driver driver;
    private volatile Receiver receiver;
    private Thread thread;
    private volatile boolean stopping;

    Consumer(Wiring wiring, int subscriber, int member, Arrivals arrivals, Failure failure) {
        this.reconnects = wiring.reconnects();
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
        this.driver = driver;
        receiver = reconnects ? persistently() : driver.receiver(subscriber, member, arrivals);
        thread = new Thread(this::run, name());
        thread.setDaemon(true);
        thread.start();
    }

    /** A broker that has just come back may not have everything at hand yet. */
    private Receiver persistently() throws Exception {
        long end = System.nanoTime() + PATIENCE_NS;
        while (true) {
            try {
                return driver.receiver(subscriber, member, arrivals);
            } catch (Exception notYet) {
                if (System.nanoTime() > end) {
                    throw notYet;
                }
                pause();
            }
        }
    }

    void stop() {
        stopping = true;
        Receiver current = receiver;
        if (current != null) {
            current.stop();
        }
    }

    /** Ends the thread and closes the connection; safe to call twice. */
    void close() throws Exception {
        if (thread == null) {
            return;
        }
        stop();
        thread.join(JOIN_MS);
        if (thread.isAlive()) {
            failure.note(name(), new IllegalStateException("did not stop within 5 s"));
        }
        Receiver closing = receiver;
        receiver = null;
        thread = null;
        if (closing != null) {
            closing.close();
        }
    }

    private void run() {
        while (!stopping) {
            try {
                receiver.run();
                if (!stopping) {
                    throw new IllegalStateException("stopped receiving by itself");
                }
            } catch (Throwable error) {
                if (stopping) {
                    return;
                }
                if (!reconnects) {
                    failure.note(name(), error);
                    return;
                }
                reopen();
            }
        }
    }

    /** Closes what was lost, and connects until it succeeds or nobody wants it any more. */
    private void reopen() {
        quietly(receiver);
        while (!stopping) {
            try {
                receiver = driver.receiver(subscriber, member, arrivals);
                if (stopping) {
                    receiver.stop();
                }
                return;
            } catch (Exception away) {
                pause();
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

    private static void pause() {
        try {
            Thread.sleep(AGAIN_MS);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }

    private String name() {
        return "receiver " + subscriber + "." + member;
    }
}
