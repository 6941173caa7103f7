package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.HeldFolder;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Data that can be read once only, from standard input or a pipe, put into a temporary file for as
 * long as the program runs: data are read several times.
 */
final class PipedData {
  private static final String STANDARD_INPUT = "-";
  private static final int BUFFER = 1 << 16;
  private static final String PREFIX = "mone-onnx-piped-";

  private PipedData() {}

  /** True of {@code -}, and of what is there and neither a file nor a folder. */
  static boolean isPiped(Path path) {
    return path.toString().equals(STANDARD_INPUT)
        || (Files.exists(path) && !Files.isRegularFile(path) && !Files.isDirectory(path));
  }

  /** Copies text until it ends; there may be no end. */
  private static void copy(InputStream in, Path file, String what) throws IOException {
    long most = Files.getFileStore(file.getParent()).getUsableSpace() / 2;
    byte[] part = new byte[BUFFER];
    long copied = 0;
    try (OutputStream out = Files.newOutputStream(file)) {
      for (int count = in.read(part); count >= 0; count = in.read(part)) {
        copied += count;
        if (copied > most) {
          throw new BadInputException(
              "%s: more than %,d bytes come, half of what is free in %s"
                  .formatted(what, most, file.getParent().getParent()));
        }
        for (int i = 0; i < count; i++) {
          if (part[i] == 0) {
            throw new BadInputException(what + " is no text in UTF-8: it has bytes that are 0");
          }
        }
        out.write(part, 0, count);
      }
    }
  }

  /** The file with all that comes; its name is the same in every run. */
  static Path file(Path path) {
    boolean isStandard = path.toString().equals(STANDARD_INPUT);
    try (InputStream in = isStandard ? System.in : Files.newInputStream(path)) {
      Path parent = Path.of(System.getProperty("java.io.tmpdir"));
      HeldFolder.removeAbandoned(parent, PREFIX, left -> {});
      HeldFolder folder = HeldFolder.in(parent, PREFIX);
      Path file = folder.path().resolve(isStandard ? "standard-input" : "pipe");
      copy(in, file, isStandard ? "standard input" : path.toString());
      return file;
    } catch (IOException e) {
      throw new BadInputException(
          (isStandard ? "standard input" : path) + ": cannot be read: " + Reason.of(e), e);
    }
  }
}
