package spikebench;

import java.util.Map;

/** Everything a driver may know of a trial; see {@code spikebench.load.driver.Wiring} in Python. */
public record Wiring(
        String name,
        Map<String, String> connection,
        Map<String, String> options,
        int subscribers,
        int consumers,
        String ordering,
        boolean durable,
        boolean confirmed,
        int confirmWindow,
        int batchMessages,
        int batchBytes,
        double lingerMs,
        int prefetch,
        int ackBatch,
        int largestBodyBytes,
        boolean reconnects,
        String journal) {}
