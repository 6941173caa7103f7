package io.moneonnx.io;

import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A folder with a model somewhere in it. */
final class FolderDraft implements Draft {
  private static final String REPLACED = "-replaced";

  private final Path out;
  private final TemporaryFolder temporary;
  private final Path folder;
  private final ModelFiles original;
  private Optional<String> data = Optional.empty();
  private Written.Linked linked = Written.Linked.NONE;

  private FolderDraft(Path out, TemporaryFolder temporary, ModelFiles original) throws IOException {
    this.out = out.toAbsolutePath();
    this.temporary = temporary;
    this.folder = Files.createDirectory(temporary.path().resolve(this.out.getFileName()));
    this.original = original;
    Files.createDirectories(path().getParent());
  }

  /**
   * An empty folder.
   *
   * @param original whose names the model file and its data file get
   */
  static FolderDraft beside(Path out, ModelFiles original) {
    TemporaryFolder temporary = TemporaryFolder.beside(out);
    try {
      return new FolderDraft(out, temporary, original);
    } catch (IOException e) {
      temporary.close();
      throw new CannotWriteException(out + ": cannot be written: " + Reason.of(e), e);
    }
  }

  Path folder() {
    return folder;
  }

  @Override
  public Path path() {
    return folder.resolve(original.name());
  }

  /**
   * Tells what the model refers to once it is published.
   *
   * @param data the name of its data file, which is there if it needs one
   * @param linked data files of another model
   */
  void refersTo(String data, Written.Linked linked) {
    this.data = Optional.of(data);
    this.linked = linked;
  }

  /** A folder that may be replaced is replaced as a whole. */
  @Override
  public Written publish(boolean force) {
    List<Path> files =
        Stream.concat(data.map(path()::resolveSibling).stream(), Stream.of(path()))
            .filter(Files::exists)
            .toList();
    try {
      Written written = Written.of(files, file -> out.resolve(folder.relativize(file)), linked);
      move(force);
      return written;
    } catch (IOException e) {
      throw new CannotWriteException(out + ": cannot be written: " + Reason.of(e), e);
    }
  }

  private void move(boolean force) throws IOException {
    try {
      PublishStep.runAll(steps(force));
    } catch (IOException e) {
      restore(out);
      throw e;
    }
  }

  /** No file system exchanges two folders: between two moves, nothing is there. */
  List<PublishStep> steps(boolean force) {
    PublishStep publish = new PublishStep.Move(folder, out);
    if (!Files.exists(out, LinkOption.NOFOLLOW_LINKS)) {
      return List.of(publish);
    }
    original.requireRoom(out, force);
    Path replaced = out.resolveSibling(temporary.path().getFileName() + REPLACED);
    return List.of(new PublishStep.Move(out, replaced), publish, new PublishStep.Remove(replaced));
  }

  /** As {@link Draft#restore}: of several, which no one program leaves, the newest. */
  static boolean restore(Path out) {
    try {
      boolean restored = false;
      for (Path replaced : newestFirst(TemporaryFolder.allBeside(out, REPLACED))) {
        if (Files.exists(out, LinkOption.NOFOLLOW_LINKS)) {
          TemporaryFolder.remove(replaced);
        } else {
          Files.move(replaced, out.toAbsolutePath(), StandardCopyOption.ATOMIC_MOVE);
          restored = true;
        }
        String draft = replaced.getFileName().toString().replaceFirst(REPLACED + "$", "");
        TemporaryFolder.remove(replaced.resolveSibling(draft));
      }
      return restored;
    } catch (IOException e) {
      throw new CannotWriteException(out + ": cannot be restored: " + Reason.of(e), e);
    }
  }

  private static List<Path> newestFirst(List<Path> folders) {
    return folders.stream()
        .sorted(Comparator.comparing(folder -> -folder.toFile().lastModified()))
        .toList();
  }

  @Override
  public void close() {
    temporary.close();
  }
}
