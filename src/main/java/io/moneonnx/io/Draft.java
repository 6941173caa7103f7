package io.moneonnx.io;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A written file that is not yet at its place: it lies, complete and under its final name, in a
 * temporary folder beside it; a model is verified there. Publishing moves it into place; closing
 * removes what was not published, and so does the end of the program.
 *
 * <pre>{@code
 * try (Draft draft = OnnxWriter.draft(model, out, Placement.EXTERNAL)) {
 *   verify(draft.path());
 *   draft.publish(false);
 * }
 * }</pre>
 */
public final class Draft implements AutoCloseable {
  private final Path out;
  private final Path folder;
  private final Thread atExit = new Thread(this::remove);

  private Draft(Path out, Path folder) {
    this.out = out;
    this.folder = folder;
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  /** Writes one file, or nothing; a file that is there is replaced. */
  public static void write(Path out, Content content) {
    try (Draft draft = beside(out)) {
      content.writeTo(draft.path());
      draft.publish(true);
    } catch (IOException e) {
      throw new CannotWriteException(out + ": cannot be written: " + Reason.of(e), e);
    }
  }

  /** Writes to a path that is free. */
  @FunctionalInterface
  public interface Content {
    void writeTo(Path path) throws IOException;
  }

  static Draft beside(Path out) {
    Path file = out.toAbsolutePath();
    if (Files.isDirectory(file)) {
      throw new BadInputException(out + ": is a folder, wanted a file to write");
    } else if (!Files.isDirectory(file.getParent())) {
      throw new BadInputException(out + ": there is no folder " + file.getParent());
    }
    String prefix = "." + file.getFileName() + ".tmp-";
    try {
      return new Draft(file, Files.createTempDirectory(file.getParent(), prefix));
    } catch (IOException e) {
      throw new CannotWriteException(out + ": cannot be written: " + Reason.of(e), e);
    }
  }

  /** The model file as it is now. */
  public Path path() {
    return folder.resolve(out.getFileName());
  }

  /** The data file, which a draft may have. */
  Path dataPath() {
    return folder.resolve(out.getFileName() + ".data");
  }

  /**
   * Moves the files into place, each at once, the data before the model that refers to it.
   *
   * @param force whether files that are there already may be replaced
   * @throws BadInputException if they may not, or a folder is in the way
   */
  public Written publish(boolean force) {
    List<Path> files = new ArrayList<>();
    long bytes = 0;
    try {
      for (Path file : List.of(dataPath(), path())) {
        if (Files.exists(file)) {
          checkFree(target(file), force);
          files.add(file);
          bytes += Files.size(file);
        }
      }
      for (Path file : files) {
        Files.move(file, target(file), StandardCopyOption.ATOMIC_MOVE);
      }
    } catch (IOException e) {
      throw new CannotWriteException(out + ": cannot be written: " + Reason.of(e), e);
    }
    return new Written(files.stream().map(this::target).toList(), bytes);
  }

  private Path target(Path file) {
    return out.resolveSibling(file.getFileName());
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
    remove();
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      // The program is ending: the hook is at work, on what is gone already.
    }
  }

  private void remove() {
    if (!Files.exists(folder)) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      throw new CannotWriteException(folder + ": cannot be removed: " + Reason.of(e), e);
    }
  }
}
