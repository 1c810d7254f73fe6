package spikebench;

/** One consumer's connection. */
public interface Receiver extends AutoCloseable {
    /** Receives, delivers to the inbox and acknowledges, until {@code stop}; runs in a thread of its own. */
    void run() throws Exception;

    /** Makes {@code run} return soon; called from another thread. */
    void stop();
}
