package io.moneonnx.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * What publishing does at once. A program may be killed between two steps: whatever is at the place
 * of a model then is the old one or the new one, or is found by {@link Draft#restore}.
 */
sealed interface PublishStep {
  void run() throws IOException;

  static void runAll(List<PublishStep> steps) throws IOException {
    for (PublishStep step : steps) {
      step.run();
    }
  }

  /** Gives a file or folder another name; what has that name is replaced. */
  record Move(Path from, Path to) implements PublishStep {
    @Override
    public void run() throws IOException {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  /** Removes a file, or a folder with all that is in it. */
  record Remove(Path path) implements PublishStep {
    @Override
    public void run() {
      DraftFolders.remove(path);
    }
  }
}
