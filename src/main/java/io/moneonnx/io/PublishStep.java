package io.moneonnx.io;

import io.moneonnx.graph.HeldFolder;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * What publishing does at once. A program may be killed between two steps: whatever is at the place
 * of a model then is the old one or the new one, and what else is there is found by {@link
 * Draft#recover}. A step is on the disk before the next that must not be there without it.
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

  /** Waits until a file, or the names in a folder, are on the disk. */
  record Sync(Path path) implements PublishStep {
    /** What a file system says that does so for files only: {@code EINVAL} of fsync(2). */
    private static final String FILES_ONLY = "Invalid argument";

    @Override
    public void run() throws IOException {
      boolean isFolder = Files.isDirectory(path);
      try (FileChannel channel = FileChannel.open(path)) {
        channel.force(true);
      } catch (AccessDeniedException e) {
        // Windows opens no folders, and others may not let a copy be read.
      } catch (IOException e) {
        if (!isFolder || !FILES_ONLY.equals(e.getMessage())) {
          throw e;
        }
      }
    }
  }

  /**
   * Notes what a draft's publishing adds beside its model, and drops, for whoever finds the draft
   * of a killed program.
   *
   * @param added names of files that only the new model refers to
   * @param dropped names of files that only the old one did
   */
  record Note(Path file, List<String> added, List<String> dropped) implements PublishStep {
    private static final char ADDED = '+';
    private static final char DROPPED = '-';

    /** No name has it. */
    private static final String END = "\0";

    @Override
    public void run() throws IOException {
      StringBuilder text = new StringBuilder();
      added.forEach(name -> text.append(ADDED).append(name).append(END));
      dropped.forEach(name -> text.append(DROPPED).append(name).append(END));
      Files.writeString(file, text);
      new Sync(file).run();
      new Sync(file.getParent()).run();
    }

    /** What a file says, or the names of which all was written: then no step has followed. */
    static Note read(Path file) throws IOException {
      String text = Files.readString(file);
      List<String> names = List.of(text.substring(0, text.lastIndexOf(END) + 1).split(END));
      return new Note(file, names(names, ADDED), names(names, DROPPED));
    }

    private static List<String> names(List<String> all, char kind) {
      return all.stream()
          .filter(name -> name.indexOf(kind) == 0)
          .map(name -> name.substring(1))
          .toList();
    }
  }

  /** Removes a file, or a folder with all that is in it. */
  record Remove(Path path) implements PublishStep {
    @Override
    public void run() throws IOException {
      HeldFolder.remove(path);
    }
  }
}
