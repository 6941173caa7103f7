package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.io.CannotWriteException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;

/** Checks where a result is to go before any work is done. */
final class Output {
  private Output() {}

  /**
   * Refuses an output that would replace something it must not.
   *
   * @throws BadInputException if {@code out} is an input, or exists and {@code force} is not set
   * @throws CannotWriteException if nothing can be written there
   */
  static void check(Path out, boolean force, Collection<Path> inputs) throws IOException {
    for (Path input : inputs) {
      if (Files.exists(out) && Files.exists(input) && Files.isSameFile(out, input)) {
        throw new BadInputException(out + ": is read as an input; give another output with -o");
      }
    }
    if (out.toString().isEmpty()) {
      throw new BadInputException("-o: the name is empty, wanted a file to write");
    }
    if (Files.isDirectory(out)) {
      throw new BadInputException(out + ": is a folder, wanted a file to write");
    }
    if (Files.exists(out) && !Files.isRegularFile(out)) {
      throw new BadInputException(out + ": is a device or a pipe, wanted a file to write");
    }
    Path folder = out.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder)) {
      throw new BadInputException(out + ": there is no folder " + folder);
    }
    if (!Files.isWritable(folder)) {
      throw new CannotWriteException(out + ": no permission to write into the folder " + folder);
    }
    if (Files.exists(out) && !force) {
      throw new BadInputException(out + ": exists already; --force replaces it");
    }
  }
}
