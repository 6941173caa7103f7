package io.moneonnx.passgen;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a build is made from, in {@code target/sources}, as the launcher asks for it:
 *
 * <pre>{@code
 * find pom.xml src/main proto passes -type f -exec cksum {} + | LC_ALL=C sort
 * }</pre>
 *
 * Where that changes, the jar of the last build is deleted. So a jar that is there was made from
 * these sources, whenever they were written and whoever ran Maven.
 */
public final class SourceSums {
  private static final int POLYNOMIAL = 0x04C11DB7;
  private static final int[] TABLE = table();

  private SourceSums() {}

  /** Takes the project's folder, the file to write, the jar, and the sources as in the command. */
  public static void main(String[] arguments) throws IOException {
    Path project = Path.of(arguments[0]);
    Path sums = Path.of(arguments[1]);
    String now = of(project, Arrays.asList(arguments).subList(3, arguments.length));
    if (!Files.exists(sums) || !Files.readString(sums).equals(now)) {
      Files.deleteIfExists(Path.of(arguments[2]));
      Files.createDirectories(sums.toAbsolutePath().getParent());
      Files.writeString(sums, now);
    }
  }

  private static String of(Path project, List<String> sources) throws IOException {
    Stream.Builder<String> lines = Stream.builder();
    for (String source : sources) {
      try (Stream<Path> files = Files.walk(project.resolve(source))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          lines.add(line(Files.readAllBytes(file), project.relativize(file)));
        }
      }
    }
    StringBuilder text = new StringBuilder();
    lines.build().sorted().forEach(text::append);
    return text.toString();
  }

  private static String line(byte[] content, Path file) {
    String name = file.toString().replace('\\', '/');
    return Integer.toUnsignedString(cksum(content)) + " " + content.length + " " + name + "\n";
  }

  /** The checksum of POSIX: the CRC of the content and of its length, low byte first. */
  private static int cksum(byte[] content) {
    int crc = 0;
    for (byte each : content) {
      crc = next(crc, each);
    }
    for (long length = content.length; length != 0; length >>>= Byte.SIZE) {
      crc = next(crc, (byte) length);
    }
    return ~crc;
  }

  private static int next(int crc, byte each) {
    return crc << Byte.SIZE ^ TABLE[crc >>> 24 ^ Byte.toUnsignedInt(each)];
  }

  private static int[] table() {
    int[] table = new int[256];
    for (int index = 0; index < table.length; index++) {
      int crc = index << 24;
      for (int bit = 0; bit < Byte.SIZE; bit++) {
        crc = crc < 0 ? crc << 1 ^ POLYNOMIAL : crc << 1;
      }
      table[index] = crc;
    }
    return table;
  }
}
