package io.moneonnx.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/**
 * Writes made-up tokens for a made-up model: {@code MadeTokens FILE SAMPLES LENGTH VOCABULARY}, an
 * array of int64 in NumPy's format. The same at every call.
 */
final class MadeTokens {
  private static final int ALIGNMENT = 64;

  private MadeTokens() {}

  public static void main(String... args) throws IOException {
    int samples = Integer.parseInt(args[1]);
    int length = Integer.parseInt(args[2]);
    String text =
        "{'descr': '<i8', 'fortran_order': False, 'shape': (%d, %d), }".formatted(samples, length);
    int filled = (10 + text.length() + ALIGNMENT) / ALIGNMENT * ALIGNMENT - 10;
    byte[] header =
        (text + " ".repeat(filled - text.length() - 1) + "\n").getBytes(StandardCharsets.US_ASCII);
    ByteBuffer file =
        ByteBuffer.allocate(10 + filled + samples * length * Long.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    file.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
    file.putShort((short) filled).put(header);
    new Random(3).longs((long) samples * length, 0, Long.parseLong(args[3])).forEach(file::putLong);
    Files.write(Path.of(args[0]), file.array());
  }
}
