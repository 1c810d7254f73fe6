package spikebench;

/** Where a receiver puts what it got, before it acknowledges; used from one thread at a time. */
public interface Inbox {
    void deliver(byte[] body);
}
