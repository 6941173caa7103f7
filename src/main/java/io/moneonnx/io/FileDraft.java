package io.moneonnx.io;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.HeldFolder;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** A model file, or any other, with the data file that a model may have. */
final class FileDraft implements Draft {
  /** In the draft's folder from before its first file is moved until nothing is left to do. */
  private static final String NOTE = ".publishing";

  private final Path out;
  private final HeldFolder folder;
  private Optional<String> data = Optional.empty();
  private Written.Linked linked = Written.Linked.NONE;
  private Set<Path> originals = Set.of();

  private FileDraft(Path out, HeldFolder folder) {
    this.out = out;
    this.folder = folder;
  }

  static FileDraft beside(Path out) {
    if (Files.isDirectory(out)) {
      throw new BadInputException(out + ": is a folder, expected a file to write");
    }
    return new FileDraft(out.toAbsolutePath(), DraftFolders.beside(out));
  }

  @Override
  public Path path() {
    return folder.path().resolve(out.getFileName());
  }

  /**
   * Tells what the model refers to once it is published.
   *
   * @param data the name of its data file, which is there if it needs one
   * @param linked data files of another model
   * @param originals data files that stay, whatever they are called
   */
  void refersTo(String data, Written.Linked linked, Set<Path> originals) {
    this.data = Optional.of(data);
    this.linked = linked;
    this.originals = originals;
  }

  @Override
  public Written publish(boolean force) {
    try {
      Written written = Written.of(own(), this::target, linked);
      move(steps(force));
      return written;
    } catch (IOException e) {
      throw new CannotWriteException(out + ": cannot be written: " + Reason.of(e), e);
    }
  }

  private void move(List<PublishStep> steps) throws IOException {
    try {
      PublishStep.runAll(steps);
    } catch (IOException e) {
      settle(folder.path(), out);
      throw e;
    }
  }

  /**
   * Data that only the new model refers to, then the model, which takes the old one's place at
   * once, then the removal of data that only the old one referred to. Each is on the disk before
   * the next.
   */
  List<PublishStep> steps(boolean force) throws IOException {
    List<Path> files = links();
    files.addAll(own());
    Set<Path> old = DataLocations.of(out);
    for (Path file : files) {
      checkFree(target(file), force);
      if (old.contains(DataLocations.real(target(file)))) {
        throw new BadInputException(
            "%s: was written by another program, and reads %s by now"
                .formatted(out, target(file).getFileName()));
      }
    }
    List<Path> added = files.subList(0, files.size() - 1);
    List<Path> dropped = abandoned(old);
    Path note = folder.path().resolve(NOTE);
    PublishStep sync = new PublishStep.Sync(out.getParent());
    List<PublishStep> steps = new ArrayList<>();
    own().forEach(file -> steps.add(new PublishStep.Sync(file)));
    if (added.size() + dropped.size() > 0) {
      steps.add(new PublishStep.Note(note, names(added), names(dropped)));
    }
    added.forEach(file -> steps.add(new PublishStep.Move(file, target(file))));
    if (!added.isEmpty()) {
      steps.add(sync);
    }
    steps.add(new PublishStep.Move(path(), out));
    steps.add(sync);
    dropped.forEach(file -> steps.add(new PublishStep.Remove(file)));
    if (added.size() + dropped.size() > 0) {
      steps.add(new PublishStep.Remove(note));
    }
    return steps;
  }

  private static List<String> names(List<Path> files) {
    return files.stream().map(file -> file.getFileName().toString()).toList();
  }

  /**
   * Removes what publishing that was cut short left beside a model: what was added for the new one
   * if that is not in its place, else what only the old one referred to. A draft with a note has
   * its model until that is moved.
   *
   * @param folder of the draft
   */
  static void settle(Path folder, Path out) throws IOException {
    Path file = folder.resolve(NOTE);
    if (!Files.exists(file)) {
      return;
    }
    PublishStep.Note note = PublishStep.Note.read(file);
    boolean isPublished = !Files.exists(folder.resolve(out.getFileName()));
    Set<Path> read = DataLocations.of(out);
    for (String name : isPublished ? note.dropped() : note.added()) {
      Path left = out.resolveSibling(name);
      boolean isMoved = isPublished || !Files.exists(folder.resolve(name));
      if (isMoved
          && Files.exists(left)
          && !read.contains(DataLocations.real(left))
          && !ModelFiles.isReadByOther(left, out)) {
        Files.delete(left);
      }
    }
    Files.delete(file);
  }

  /** The data file, if there is one, and the model. */
  private List<Path> own() {
    return Stream.concat(data.map(folder.path()::resolve).stream(), Stream.of(path()))
        .filter(Files::exists)
        .toList();
  }

  /** Data files of the model that is replaced which nothing reads from then on. */
  private List<Path> abandoned(Set<Path> old) {
    Set<Path> read = new HashSet<>(originals);
    for (Path file : linked.files()) {
      read.add(DataLocations.real(file));
    }
    return old.stream()
        .filter(file -> Files.exists(file) && DataNames.isOf(out, file))
        .filter(file -> !read.contains(file) && !ModelFiles.isReadByOther(file, out))
        .toList();
  }

  /** The links that are not at their place yet. */
  private List<Path> links() throws IOException {
    List<Path> links = new ArrayList<>();
    for (Path file : linked.files()) {
      Path link = folder.path().resolve(out.getParent().relativize(file.toAbsolutePath()));
      if (!isThere(link)) {
        links.add(link);
      }
    }
    return links;
  }

  /** True for a link to a file that lies where the model is going to look for it already. */
  private boolean isThere(Path link) throws IOException {
    return Files.exists(target(link)) && Files.isSameFile(link, target(link));
  }

  private Path target(Path file) {
    return out.resolveSibling(folder.path().relativize(file));
  }

  private static void checkFree(Path target, boolean force) {
    if (Files.isDirectory(target)) {
      throw new BadInputException(target + ": is a folder, expected a file to write");
    } else if (!force && Files.exists(target)) {
      throw new BadInputException(target + ": exists already");
    }
  }

  @Override
  public void close() {
    folder.close();
  }
}
