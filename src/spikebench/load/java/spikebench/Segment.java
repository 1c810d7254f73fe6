package spikebench;

/**
 * Messages to send: {@code firstSeq + i} is due at {@code t0 + offsets[i]}, whatever became of those
 * before; nothing is sent after {@code deadline}. Then confirms are waited for, at most
 * {@code settleNs}. All in ns of the monotonic clock.
 */
record Segment(
        int firstSeq,
        long t0,
        long deadline,
        long settleNs,
        long[] offsets,
        int[] templates,
        int[] keys) {

    int size() {
        return offsets.length;
    }

    long due(int i) {
        return t0 + offsets[i];
    }

    /** Messages a second from the first that is due to the last; infinite where all are at once. */
    double ratePerS() {
        return size() < 2 ? 0 : (size() - 1) / ((offsets[size() - 1] - offsets[0]) / 1e9);
    }
}
