package io.moneonnx.io;

import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/** A folder with a model in it. */
final class FolderDraft implements Draft {
  private final Path out;
  private final TemporaryFolder temporary;
  private final Path folder;
  private final ModelFiles original;
  private Written.Linked linked = Written.Linked.NONE;

  private FolderDraft(Path out, TemporaryFolder temporary, ModelFiles original) throws IOException {
    this.out = out.toAbsolutePath();
    this.temporary = temporary;
    this.folder = Files.createDirectory(temporary.path().resolve(this.out.getFileName()));
    this.original = original;
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
    return folder.resolve(original.model().getFileName());
  }

  /** The data file, which a draft may have. */
  Path dataPath() {
    return folder.resolve(original.dataName());
  }

  /** The data files of another model that it refers to once it is published. */
  void refersTo(Written.Linked linked) {
    this.linked = linked;
  }

  /** A folder that may be replaced is replaced as a whole. */
  @Override
  public Written publish(boolean force) {
    List<Path> files = Stream.of(dataPath(), path()).filter(Files::exists).toList();
    try {
      long bytes = 0;
      for (Path file : files) {
        bytes += Files.size(file);
      }
      move(force);
      return new Written(
          files.stream().map(file -> out.resolve(folder.relativize(file))).toList(), bytes, linked);
    } catch (IOException e) {
      throw new CannotWriteException(out + ": cannot be written: " + Reason.of(e), e);
    }
  }

  private void move(boolean force) throws IOException {
    if (!Files.exists(out, LinkOption.NOFOLLOW_LINKS)) {
      Files.move(folder, out, StandardCopyOption.ATOMIC_MOVE);
      return;
    }
    original.requireRoom(out, force);
    Path replaced = out.resolveSibling(temporary.path().getFileName() + "-replaced");
    Files.move(out, replaced, StandardCopyOption.ATOMIC_MOVE);
    try {
      Files.move(folder, out, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      Files.move(replaced, out, StandardCopyOption.ATOMIC_MOVE);
      throw e;
    }
    TemporaryFolder.remove(replaced);
  }

  @Override
  public void close() {
    temporary.close();
  }
}
