package spikebench;

/** One producer's connection, used from one thread. */
public interface Sender extends AutoCloseable {
    /** Hands one message to the client library, which may keep {@code body} and gather it into a batch. */
    void send(int seq, byte[] key, byte[] body) throws Exception;

    /** Pushes gathered messages out; does not wait for confirms. */
    void flush() throws Exception;
}
