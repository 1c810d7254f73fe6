package benchmarks;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/**
 * CPU time of calls, by a sample of them: reading the clock takes longer than many of the calls.
 * Used from one thread at a time.
 */
final class Meter {
    // A prime, so that every place in a batch of messages is in the sample.
    private static final int EVERY = 17;
    private static final int TRIES = 10_000;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final long CLOCK_NS = clockNs();

    private long calls;
    private long sampledNs;

    /** Returns the time at which a call begins, or 0 where it is not in the sample. */
    long begin() {
        if (calls++ % EVERY != 0) {
            return 0;
        }
        cpuNs(); // Read once for the caches: a cold clock would be counted as the call's time.
        return cpuNs();
    }

    /** Returns the time at which the call ended, or 0 where it is not in the sample. */
    long end(long began) {
        if (began == 0) {
            return 0;
        }
        long now = cpuNs();
        sampledNs += now - began - CLOCK_NS;
        return now;
    }

    /** What all calls took, in ns, as far as the sample tells. */
    long totalNs() {
        return sampledNs * EVERY;
    }

    void reset() {
        calls = 0;
        sampledNs = 0;
    }

    static long cpuNs() {
        return THREADS.getCurrentThreadCpuTime();
    }

    /** What reading the clock itself adds between two readings, once it is compiled. */
    private static long clockNs() {
        long before = 0;
        for (int i = 0; i < 2 * TRIES; i++) {
            if (i == TRIES) {
                before = cpuNs();
            }
            cpuNs();
        }
        return (cpuNs() - before) / TRIES;
    }
}
