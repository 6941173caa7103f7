package io.moneonnx.io;

import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * Whether there is room for what is to be written.
 *
 * @param folder where it is to lie
 * @param wanted bytes
 */
record DiskSpace(Path folder, long wanted) {
  /**
   * Checks before anything is written.
   *
   * @throws IOException if there is too little room; says how much is missing
   */
  void require() throws IOException {
    OptionalLong left = left();
    if (left.isPresent() && left.getAsLong() < wanted) {
      throw new IOException(missing(left.getAsLong()));
    }
  }

  /** Why writing failed, once what was written of it is gone again. */
  IOException because(IOException failure) {
    OptionalLong left = left();
    return left.isPresent() && left.getAsLong() < wanted
        ? new IOException(Reason.of(failure) + "; " + missing(left.getAsLong()), failure)
        : failure;
  }

  private String missing(long left) {
    return "%,d bytes are expected, %,d are left on the file system: %,d are missing"
        .formatted(wanted, left, wanted - left);
  }

  /** Empty where the system does not tell. */
  private OptionalLong left() {
    try {
      return OptionalLong.of(Files.getFileStore(folder).getUsableSpace());
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
