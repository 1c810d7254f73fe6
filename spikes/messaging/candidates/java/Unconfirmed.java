package spikes.messaging;

import java.util.concurrent.atomic.AtomicLongArray;
import spikebench.Confirms;

/**
 * Which message each of the broker's delivery tags stands for: a ring, because tags are given in
 * turn from 1 and few are unconfirmed at a time. A slot holds tag and sequence number, or 0.
 */
final class Unconfirmed {
    private final Confirms confirms;
    private final AtomicLongArray ring;
    private final int mask;
    private long sent;
    private long settledUpTo;

    Unconfirmed(int window, Confirms confirms) {
        this.confirms = confirms;
        int size = Integer.highestOneBit(Math.max(window, 64)) * 4;
        this.ring = new AtomicLongArray(size);
        this.mask = size - 1;
    }

    /** Notes that the next tag is {@code seq}'s; called by the sending thread. */
    void sending(int seq) {
        sent++;
        ring.setRelease((int) sent & mask, sent << 32 | seq & 0xFFFFFFFFL);
    }

    /** Takes in a confirm; called by the connection's thread. */
    void ack(long tag, boolean multiple) {
        settle(tag, multiple, true);
    }

    void nack(long tag, boolean multiple) {
        settle(tag, multiple, false);
    }

    private void settle(long tag, boolean multiple, boolean confirmed) {
        if (!multiple) {
            settle(tag, confirmed);
            return;
        }
        for (long each = settledUpTo + 1; each <= tag; each++) {
            settle(each, confirmed);
        }
        settledUpTo = Math.max(settledUpTo, tag);
    }

    private void settle(long tag, boolean confirmed) {
        int slot = (int) tag & mask;
        long entry = ring.getAcquire(slot);
        if (entry == 0 || entry >>> 32 != (tag & 0xFFFFFFFFL)) {
            return;
        }
        ring.setRelease(slot, 0);
        if (tag == settledUpTo + 1) {
            settledUpTo = tag;
        }
        if (confirmed) {
            confirms.confirmed((int) entry);
        } else {
            confirms.failed((int) entry, "the broker refused it (basic.nack)");
        }
    }
}
