package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.HeldFolder;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Data that can be read once only, from standard input or a pipe, put into a temporary file for as
 * long as the program runs: data are read several times.
 */
final class PipedData {
  private static final String STANDARD_INPUT = "-";
  private static final String PREFIX = "mone-onnx-piped-";

  private PipedData() {}

  /** True of {@code -}, and of what is there and neither a file nor a folder. */
  static boolean isPiped(Path path) {
    return path.toString().equals(STANDARD_INPUT)
        || (Files.exists(path) && !Files.isRegularFile(path) && !Files.isDirectory(path));
  }

  /** The file with all that comes; its name is the same in every run. */
  static Path file(Path path) {
    boolean isStandard = path.toString().equals(STANDARD_INPUT);
    try (InputStream in = isStandard ? System.in : Files.newInputStream(path)) {
      Path parent = Path.of(System.getProperty("java.io.tmpdir"));
      HeldFolder.removeAbandoned(parent, PREFIX, left -> {});
      HeldFolder folder = HeldFolder.in(parent, PREFIX);
      Path file = folder.path().resolve(isStandard ? "standard-input" : "pipe");
      Files.copy(in, file);
      return file;
    } catch (IOException e) {
      throw new BadInputException(
          (isStandard ? "standard input" : path) + ": cannot be read: " + Reason.of(e), e);
    }
  }
}
