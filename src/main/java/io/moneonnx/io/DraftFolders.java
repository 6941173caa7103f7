package io.moneonnx.io;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.HeldFolder;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The hidden folders beside what is to be written, on the same file system, so that what is
 * complete in one can be moved into place at once.
 */
final class DraftFolders {
  private DraftFolders() {}

  static HeldFolder beside(Path out) {
    Path target = out.toAbsolutePath();
    if (!Files.isDirectory(target.getParent())) {
      throw new BadInputException(out + ": there is no folder " + target.getParent());
    }
    try {
      return HeldFolder.in(target.getParent(), prefix(target));
    } catch (IOException e) {
      throw new CannotWriteException(out + ": cannot be written: " + Reason.of(e), e);
    }
  }

  /**
   * Removes those that killed programs left, and what these had put in place already.
   *
   * @return what was done, line by line
   */
  static List<String> removeAbandoned(Path out) throws IOException {
    Path target = out.toAbsolutePath();
    return HeldFolder.removeAbandoned(
            target.getParent(), prefix(target), folder -> FileDraft.settle(folder, target))
        .stream()
        .map(DraftFolders::removed)
        .toList();
  }

  static String removed(Path path) {
    return "removed what a killed program left: " + path;
  }

  /** Those whose names end so. */
  static List<Path> all(Path out, String suffix) throws IOException {
    Path target = out.toAbsolutePath();
    return HeldFolder.all(target.getParent(), prefix(target), suffix);
  }

  private static String prefix(Path target) {
    return "." + target.getFileName() + ".tmp-";
  }

  static void remove(Path folder) {
    try {
      HeldFolder.remove(folder);
    } catch (IOException e) {
      throw new CannotWriteException(folder + ": cannot be removed: " + Reason.of(e), e);
    }
  }
}
