package spikebench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.HashMap;
import java.util.Map;

/** The moment between a snapshot and its restore, as the process itself lives through it. */
final class Restore {
    private static final int PARENT = 1;

    private Restore() {}

    /**
     * Says that the snapshot may be taken, and returns in the restored copy.
     *
     * <p>Standard input is a pipe that says nothing until the snapshot; a restored copy finds
     * another file in its place, which is at its end.
     */
    static void await() throws IOException {
        Files.write(Paths.get(System.getenv("SPIKEBENCH_READY")), new byte[] {'r'});
        if (System.in.read() != -1) {
            throw new IOException("a snapshot was to be taken, but somebody wrote to its input");
        }
    }

    /**
     * Returns the environment that the restored copy was started with, which is its parent's: its own
     * is part of the snapshot.
     */
    static Map<String, String> environment() throws IOException {
        byte[] content = Files.readAllBytes(Paths.get("/proc", parent(), "environ"));
        Map<String, String> found = new HashMap<>();
        for (String entry : new String(content, StandardCharsets.UTF_8).split("\0")) {
            int end = entry.indexOf('=');
            if (end > 0) {
                found.put(entry.substring(0, end), entry.substring(end + 1));
            }
        }
        return found;
    }

    /** Returns the number of the parent as /proc has it, whatever namespace we are in. */
    private static String parent() throws IOException {
        Path state = Paths.get("/proc/self/stat");
        String text = new String(Files.readAllBytes(state), StandardCharsets.UTF_8);
        return text.substring(text.lastIndexOf(')') + 2).split(" ")[PARENT];
    }
}
