package spikes.messaging;

/** Threads that do not keep the process alive: a generator that died unclosed must not either. */
final class Daemon {
    private Daemon() {}

    static Thread thread(Runnable task) {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        return thread;
    }
}
