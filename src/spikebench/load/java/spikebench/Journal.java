package spikebench;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file of what a receiver got, for a receiver that is to be killed: mapped memory outlives the
 * process without a call to the system. An entry of 16 bytes, little-endian, is a receive time in
 * ns, a sequence number, and 1 once both are written.
 */
final class Journal {
    private static final int ENTRY = 16;
    private static final int ENTRIES = 1 << 20;

    private final MappedByteBuffer entries;
    private int count;

    /** The file is {@code folder/name.pid}; a second process of the same name has its own. */
    Journal(Path folder, String name) throws IOException {
        Path file = folder.resolve(name + "." + ProcessHandle.current().pid());
        try (FileChannel channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            entries = channel.map(FileChannel.MapMode.READ_WRITE, 0, (long) ENTRY * ENTRIES);
            entries.order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    void add(int seq, long receivedNs) {
        if (count == ENTRIES) {
            throw new IllegalStateException("a journal holds " + ENTRIES + " messages");
        }
        int at = ENTRY * count++;
        entries.putLong(at, receivedNs);
        entries.putInt(at + 8, seq);
        entries.putInt(at + 12, 1);
    }
}
