package spikebench;

import java.util.concurrent.atomic.AtomicReference;

/** The first thing that went wrong in any thread of a trial; later ones are mostly its echo. */
public final class Failure {
    private final AtomicReference<String> text = new AtomicReference<>();

    void note(String where, Throwable error) {
        text.compareAndSet(null, where + ": " + describe(error));
    }

    boolean isNoted() {
        return text.get() != null;
    }

    /** What went wrong and where, in one line; null where nothing did. */
    String text() {
        return text.get();
    }

    public static String describe(Throwable error) {
        StringBuilder line = new StringBuilder(describeOne(error));
        Throwable cause = error.getCause();
        for (int depth = 0; cause != null && depth < 4; depth++, cause = cause.getCause()) {
            if (line.indexOf(describeOne(cause)) < 0) {
                line.append(", caused by ").append(describeOne(cause));
            }
        }
        return line.toString().replaceAll("\\s+", " ");
    }

    private static String describeOne(Throwable error) {
        String name = error.getClass().getSimpleName();
        return error.getMessage() == null ? name : name + ": " + error.getMessage();
    }
}
