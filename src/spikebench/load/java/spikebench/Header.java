package spikebench;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The start of every body: {@code {"_sb":"}, then 8 hex digits of trial tag, 8 of sequence number and
 * 16 of send time in ns of the monotonic clock. Eight digits are read and written as one long.
 */
final class Header {
    static final int LENGTH = 40;
    private static final int TAG = 8;
    private static final int SEQ = 16;
    private static final int SENT = 24;
    private static final long ONES = 0x0101010101010101L;
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final long PREFIX = read("{\"_sb\":\"".getBytes(StandardCharsets.US_ASCII), 0);

    private Header() {}

    static boolean isPresent(byte[] body) {
        return body.length >= LENGTH && read(body, 0) == PREFIX;
    }

    /** Whether the body is of the trial whose {@code hex(tag)} is given. */
    static boolean isOurs(byte[] body, long hexTag) {
        return isPresent(body) && read(body, TAG) == hexTag;
    }

    static void tag(byte[] body, int tag) {
        LONG.set(body, TAG, hex(tag));
    }

    static void patch(byte[] body, int seq, long sentNs) {
        LONG.set(body, SEQ, hex(seq));
        LONG.set(body, SENT, hex((int) (sentNs >>> 32)));
        LONG.set(body, SENT + 8, hex((int) sentNs));
    }

    static int seq(byte[] body) {
        return number(read(body, SEQ));
    }

    /** The eight lower-case digits of {@code value}, as their ASCII bytes. */
    static long hex(int value) {
        long x = value & 0xFFFFFFFFL;
        x = (x & 0xFFFF0000L) << 16 | x & 0xFFFFL;
        x = (x & 0x0000FF000000FF00L) << 8 | x & 0x000000FF000000FFL;
        x = (x & 0x00F000F000F000F0L) << 4 | x & 0x000F000F000F000FL;
        long letters = (x + 6 * ONES) >>> 4 & ONES;
        return x + '0' * ONES + letters * ('a' - '0' - 10);
    }

    private static int number(long digits) {
        long x = (digits & 0x0F * ONES) + (digits >>> 6 & ONES) * 9;
        x = (x | x >>> 4) & 0x00FF00FF00FF00FFL;
        x = (x | x >>> 8) & 0x0000FFFF0000FFFFL;
        return (int) (x | x >>> 16);
    }

    private static long read(byte[] body, int at) {
        return (long) LONG.get(body, at);
    }
}
