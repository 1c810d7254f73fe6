package spikebench;

/** What a sender tells the harness; safe to call from any thread. */
public interface Confirms {
    /** The broker has taken responsibility for message {@code seq}. */
    void confirmed(int seq);

    /** The broker or client has refused message {@code seq}; it will not be sent again. */
    void failed(int seq, String reason);
}
