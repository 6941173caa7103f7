package io.moneonnx.io;

import io.moneonnx.graph.HeldFolder;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A folder with a model, or several, somewhere in it. */
final class FolderDraft implements Draft {
  private static final String REPLACED = "-replaced";

  private final Path out;
  private final HeldFolder temporary;
  private final Path folder;
  private final ModelFiles original;
  private List<Path> files = List.of();
  private Written.Linked linked = Written.Linked.NONE;

  private FolderDraft(Path out, HeldFolder temporary, ModelFiles original) throws IOException {
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
    HeldFolder temporary = DraftFolders.beside(out);
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
   * Tells what is published beside what was copied.
   *
   * @param files data files, as far as they are there, and model files, that at {@link #path} last
   * @param linked data files of other models
   */
  void holds(List<Path> files, Written.Linked linked) {
    this.files = List.copyOf(files);
    this.linked = linked;
  }

  /** A folder that may be replaced is replaced as a whole. */
  @Override
  public Written publish(boolean force) {
    try {
      Written written =
          Written.of(
              files.stream().filter(Files::exists).toList(),
              file -> out.resolve(folder.relativize(file)),
              linked);
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

  /**
   * No file system exchanges two folders from Java: between two moves, nothing is there. What is
   * moved is on the disk before.
   */
  List<PublishStep> steps(boolean force) throws IOException {
    List<PublishStep> steps = new ArrayList<>();
    try (Stream<Path> all = Files.walk(folder)) {
      all.forEach(path -> steps.add(new PublishStep.Sync(path)));
    }
    PublishStep publish = new PublishStep.Move(folder, out);
    PublishStep sync = new PublishStep.Sync(out.getParent());
    if (!Files.exists(out, LinkOption.NOFOLLOW_LINKS)) {
      steps.addAll(List.of(publish, sync));
      return steps;
    }
    original.requireRoom(out, force);
    Path replaced = out.resolveSibling(temporary.path().getFileName() + REPLACED);
    steps.addAll(
        List.of(
            new PublishStep.Move(out, replaced), publish, sync, new PublishStep.Remove(replaced)));
    return steps;
  }

  /**
   * Puts a folder back that was moved away to be replaced, and removes those that were replaced. Of
   * several, which no one program leaves, the newest is put back.
   *
   * @return what was done, line by line
   */
  static List<String> restore(Path out) throws IOException {
    List<String> done = new ArrayList<>();
    for (Path replaced : newestFirst(DraftFolders.all(out, REPLACED))) {
      String name = replaced.getFileName().toString().replaceFirst(REPLACED + "$", "");
      Path draft = replaced.resolveSibling(name);
      if (HeldFolder.isHeldByOther(draft)) {
        continue;
      }
      if (Files.exists(out, LinkOption.NOFOLLOW_LINKS)) {
        DraftFolders.remove(replaced);
        done.add(DraftFolders.removed(replaced));
      } else {
        new PublishStep.Move(replaced, out.toAbsolutePath()).run();
        done.add(out + ": is back as it was before a program that was to replace it was killed");
      }
      DraftFolders.remove(draft);
    }
    return done;
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
