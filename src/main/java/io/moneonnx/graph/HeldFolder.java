package io.moneonnx.graph;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A temporary folder that this program holds by a lock. Closing removes it with all that is in it,
 * and so does the end of the program; what a killed program left is known by its lock, which nobody
 * holds any more.
 */
public final class HeldFolder implements AutoCloseable {
  private static final String LOCK = ".lock";

  /** Nobody works in a folder without a lock so long: its file system may have none. */
  private static final Duration UNLOCKED = Duration.ofDays(1);

  private final Path path;
  private final Optional<FileChannel> lock;
  private final Thread atExit = new Thread(this::remove);

  private HeldFolder(Path path) {
    this.path = path;
    this.lock = locked(path.resolve(LOCK));
  }

  private static Optional<FileChannel> locked(Path file) {
    try {
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      try {
        channel.lock();
        return Optional.of(channel);
      } catch (IOException e) {
        channel.close();
        Files.delete(file);
      }
    } catch (IOException e) {
      // a file system without locks
    }
    return Optional.empty();
  }

  /**
   * Makes one.
   *
   * @throws IOException if it cannot be made, or the program is told to stop
   */
  public static HeldFolder in(Path parent, String prefix) throws IOException {
    HeldFolder folder = new HeldFolder(Files.createTempDirectory(parent, prefix));
    try {
      Runtime.getRuntime().addShutdownHook(folder.atExit);
      return folder;
    } catch (IllegalStateException e) {
      folder.remove();
      throw new IOException("the program is told to stop", e);
    }
  }

  /**
   * Removes those that killed programs left.
   *
   * @param prefix of their names, to which nothing but letters and digits was added
   * @return those that were removed
   */
  public static List<Path> removeAbandoned(Path parent, String prefix) throws IOException {
    List<Path> removed = new ArrayList<>();
    for (Path folder : all(parent, prefix, "")) {
      if (isAbandoned(folder)) {
        remove(folder);
        removed.add(folder);
      }
    }
    return removed;
  }

  /**
   * Folders of such names.
   *
   * @param suffix of their names
   */
  public static List<Path> all(Path parent, String prefix, String suffix) throws IOException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(parent)) {
      for (Path path : all) {
        String name = path.getFileName().toString();
        if (name.startsWith(prefix)
            && name.endsWith(suffix)
            && name.length() > prefix.length() + suffix.length()
            && name.substring(prefix.length(), name.length() - suffix.length())
                .chars()
                .allMatch(Character::isLetterOrDigit)
            && Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
          found.add(path);
        }
      }
    }
    found.sort(null);
    return found;
  }

  private static boolean isAbandoned(Path folder) throws IOException {
    Path file = folder.resolve(LOCK);
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      Instant changed = Files.getLastModifiedTime(folder).toInstant();
      return changed.isBefore(Instant.now().minus(UNLOCKED));
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false; // this program's own
    } catch (IOException e) {
      return false; // another user's, or just removed
    }
  }

  public Path path() {
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
    try {
      if (lock.isPresent()) {
        lock.get().close();
      }
      remove(path);
    } catch (IOException e) {
      throw new UncheckedIOException(
          new IOException(path + ": cannot be removed: " + Reason.of(e), e));
    }
  }

  /** Removes a folder with all that is in it, or a file; links are removed, not followed. */
  public static void remove(Path folder) throws IOException {
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path left, IOException error)
              throws IOException {
            Files.deleteIfExists(left);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
