package spikebench;

/** Where a receiver puts what it got, before it acknowledges; used from one thread at a time. */
public interface Inbox {
    /** Takes in what has just been received, in order: all of it arrived at the present time. */
    void deliver(byte[]... bodies);
}
