package io.moneonnx.io;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.stream.Stream;

/**
 * A hidden folder beside what is to be written, on the same file system, so that what is complete
 * in it can be moved into place at once. Closing removes it with all that is still in it, and so
 * does the end of the program.
 */
final class TemporaryFolder implements AutoCloseable {
  private final Path path;
  private final Thread atExit = new Thread(this::remove);

  private TemporaryFolder(Path path) {
    this.path = path;
  }

  static TemporaryFolder beside(Path out) {
    Path target = out.toAbsolutePath();
    if (!Files.isDirectory(target.getParent())) {
      throw new BadInputException(out + ": there is no folder " + target.getParent());
    }
    try {
      return removedAtExit(Files.createTempDirectory(target.getParent(), prefix(target)));
    } catch (IOException e) {
      throw new CannotWriteException(out + ": cannot be written: " + Reason.of(e), e);
    }
  }

  private static String prefix(Path target) {
    return "." + target.getFileName() + ".tmp-";
  }

  /** Removes all that are there beside {@code out} for it. */
  static void removeAll(Path out) throws IOException {
    allBeside(out, "").forEach(TemporaryFolder::remove);
  }

  /** Those of which the name ends so. */
  static List<Path> allBeside(Path out, String suffix) throws IOException {
    Path target = out.toAbsolutePath();
    try (Stream<Path> beside = Files.list(target.getParent())) {
      return beside
          .filter(path -> path.getFileName().toString().startsWith(prefix(target)))
          .filter(path -> path.getFileName().toString().endsWith(suffix))
          .toList();
    }
  }

  private static TemporaryFolder removedAtExit(Path path) throws IOException {
    TemporaryFolder folder = new TemporaryFolder(path);
    try {
      Runtime.getRuntime().addShutdownHook(folder.atExit);
      return folder;
    } catch (IllegalStateException e) {
      folder.remove();
      throw new IOException("the program is told to stop", e);
    }
  }

  Path path() {
    return path;
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
    remove(path);
  }

  /** Removes a folder with all that is in it; links are removed, not followed. */
  static void remove(Path folder) {
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try {
      Files.walkFileTree(folder, new Removal());
    } catch (IOException e) {
      throw new CannotWriteException(folder + ": cannot be removed: " + Reason.of(e), e);
    }
  }

  private static final class Removal extends SimpleFileVisitor<Path> {
    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      Files.deleteIfExists(file);
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path folder, IOException error) throws IOException {
      Files.deleteIfExists(folder);
      return FileVisitResult.CONTINUE;
    }
  }
}
