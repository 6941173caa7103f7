package io.moneonnx.io;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A model file, or any other, with the data file that a model may have. */
final class FileDraft implements Draft {
  private final Path out;
  private final TemporaryFolder folder;
  private Written.Linked linked = Written.Linked.NONE;

  private FileDraft(Path out, TemporaryFolder folder) {
    this.out = out;
    this.folder = folder;
  }

  static FileDraft beside(Path out) {
    if (Files.isDirectory(out)) {
      throw new BadInputException(out + ": is a folder, wanted a file to write");
    }
    return new FileDraft(out.toAbsolutePath(), TemporaryFolder.beside(out));
  }

  @Override
  public Path path() {
    return folder.path().resolve(out.getFileName());
  }

  /** The data file, which a draft may have. */
  Path dataPath() {
    return folder.path().resolve(out.getFileName() + ".data");
  }

  /** The data files of another model that it refers to once it is published. */
  void refersTo(Written.Linked linked) {
    this.linked = linked;
  }

  /** Each file appears at once, the data before the model that refers to it. */
  @Override
  public Written publish(boolean force) {
    try {
      List<Path> own = Stream.of(dataPath(), path()).filter(Files::exists).toList();
      long bytes = 0;
      for (Path file : own) {
        bytes += Files.size(file);
      }
      List<Path> files = links();
      files.addAll(own);
      files.forEach(file -> checkFree(target(file), force));
      for (Path file : files) {
        Files.move(file, target(file), StandardCopyOption.ATOMIC_MOVE);
      }
      return new Written(own.stream().map(this::target).toList(), bytes, linked);
    } catch (IOException e) {
      throw new CannotWriteException(out + ": cannot be written: " + Reason.of(e), e);
    }
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
      throw new BadInputException(target + ": is a folder, wanted a file to write");
    } else if (!force && Files.exists(target)) {
      throw new BadInputException(target + ": exists already");
    }
  }

  @Override
  public void close() {
    folder.close();
  }
}
