package spikebench;

import java.util.Arrays;

/** The messages that the candidate held back, few of all, and until when; kept in their order. */
final class Held {
    private int[] index = new int[64];
    private long[] untilNs = new long[64];
    private int count;

    synchronized void add(int i, long until) {
        if (count == index.length) {
            index = Arrays.copyOf(index, 2 * count);
            untilNs = Arrays.copyOf(untilNs, 2 * count);
        }
        index[count] = i;
        untilNs[count] = until;
        count++;
    }

    /** For each of {@code size} messages until when it was held, in ns; 0 where it was not. */
    synchronized long[] untilNs(int size) {
        long[] all = new long[size];
        for (int k = 0; k < count; k++) {
            all[index[k]] = untilNs[k];
        }
        return all;
    }
}
