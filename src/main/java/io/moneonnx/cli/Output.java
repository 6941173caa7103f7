package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** Checks where a result is to go before any work is done. */
final class Output {
  private Output() {}

  /**
   * Refuses a model output of which a file would replace one of the input's.
   *
   * @throws BadInputException naming the file of the input
   */
  static void checkApart(Path out, Set<Path> inputs) throws IOException {
    Path data = out.resolveSibling(out.getFileName() + ".data");
    for (Path input : inputs) {
      if (isSame(out, input) || isSame(data, input)) {
        throw new BadInputException(
            "%s: writing it would replace %s of the input".formatted(out, input));
      }
    }
  }

  private static boolean isSame(Path out, Path input) throws IOException {
    return Files.exists(out) && Files.exists(input) && Files.isSameFile(out, input);
  }

  /**
   * Refuses an output that would replace something it must not.
   *
   * @throws BadInputException if {@code out} is an input, or exists and {@code force} is not set
   */
  static void check(Path out, boolean force, Path... inputs) throws IOException {
    for (Path input : inputs) {
      if (isSame(out, input)) {
        throw new BadInputException(out + ": is the input; give another output with -o");
      }
    }
    Path folder = out.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder)) {
      throw new BadInputException(out + ": there is no folder " + folder);
    }
    if (Files.isDirectory(out)) {
      throw new BadInputException(out + ": is a folder, wanted a file to write");
    }
    if (Files.exists(out) && !force) {
      throw new BadInputException(out + ": exists already; --force replaces it");
    }
  }
}
