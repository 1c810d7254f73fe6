package spikebench;

/** One producer's connection, used from one thread. */
public interface Sender extends AutoCloseable {
    /**
     * Hands one message to the client library, which may keep {@code body} and gather it into a batch,
     * unless this {@link #copiesBody}.
     */
    void send(int seq, byte[] key, byte[] body) throws Exception;

    /**
     * Whether nothing looks at a body once {@code send} has returned, for it was copied or is on its
     * way: its bytes then carry a later message. A body of its own costs each message a kilobyte or
     * more to be written and collected. Asked once a connection.
     */
    default boolean copiesBody() {
        return false;
    }

    /** Pushes gathered messages out; does not wait for confirms. */
    void flush() throws Exception;
}
