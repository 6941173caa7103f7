package io.moneonnx.graph;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
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
 * holds any more, or by having nothing in it: the lock is the first to come and the last to go.
 */
public final class HeldFolder implements AutoCloseable {
  private static final String LOCK = ".lock";

  /** In place of the lock where the file system has none; nobody works in such a folder so long. */
  private static final String UNLOCKED = ".unlocked";

  private static final Duration LONGEST = Duration.ofDays(1);

  private final Path path;
  private final Optional<FileChannel> lock;
  private final Thread atExit = new Thread(this::remove);

  private HeldFolder(Path path, Optional<FileChannel> lock) {
    this.path = path;
    this.lock = lock;
  }

  /** What is to be done about a folder before it is removed. */
  @FunctionalInterface
  public interface Settling {
    void settle(Path folder) throws IOException;
  }

  /**
   * Makes one.
   *
   * @throws IOException if it cannot be made, or the program is told to stop
   */
  public static HeldFolder in(Path parent, String prefix) throws IOException {
    Optional<HeldFolder> made = Optional.empty();
    while (made.isEmpty()) {
      made = held(Files.createTempDirectory(parent, prefix));
    }
    HeldFolder folder = made.get();
    try {
      Runtime.getRuntime().addShutdownHook(folder.atExit);
      return folder;
    } catch (IllegalStateException e) {
      folder.remove();
      throw new IOException("the program is told to stop", e);
    }
  }

  /** Empty where another program took it for abandoned, before it had its lock, and removed it. */
  private static Optional<HeldFolder> held(Path path) throws IOException {
    Path file = path.resolve(LOCK);
    try {
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      if (!isLocked(channel)) {
        channel.close();
        Files.move(file, path.resolve(UNLOCKED));
        return Optional.of(new HeldFolder(path, Optional.empty()));
      } else if (Files.exists(file)) {
        return Optional.of(new HeldFolder(path, Optional.of(channel)));
      }
      channel.close();
      return Optional.empty();
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      remove(path);
      throw e;
    }
  }

  /** False on a file system without locks. */
  private static boolean isLocked(FileChannel channel) {
    try {
      channel.lock();
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Removes those that killed programs left.
   *
   * @param prefix of their names, to which nothing but letters and digits was added
   * @param settling what is done about each before
   * @return those that were removed
   */
  public static List<Path> removeAbandoned(Path parent, String prefix, Settling settling)
      throws IOException {
    List<Path> removed = new ArrayList<>();
    for (Path folder : all(parent, prefix, "")) {
      if (removeIfAbandoned(folder, settling)) {
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

  private static boolean removeIfAbandoned(Path folder, Settling settling) throws IOException {
    Path file = folder.resolve(LOCK);
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return isEmpty(folder) ? removeIfEmpty(folder) : removeIfOld(folder);
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      if (!isFree(channel)) {
        return false;
      }
      settling.settle(folder);
      release(folder, Optional.of(channel));
      return true;
    } catch (AccessDeniedException | NoSuchFileException e) {
      return false; // another user's, or just removed
    }
  }

  private static boolean isEmpty(Path folder) throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
      return !all.iterator().hasNext();
    }
  }

  private static boolean removeIfEmpty(Path folder) throws IOException {
    try {
      return Files.deleteIfExists(folder);
    } catch (DirectoryNotEmptyException e) {
      return false; // somebody has just begun to work in it
    }
  }

  private static boolean removeIfOld(Path folder) throws IOException {
    Instant changed = Files.getLastModifiedTime(folder).toInstant();
    if (changed.isAfter(Instant.now().minus(LONGEST))) {
      return false;
    }
    remove(folder);
    return true;
  }

  /** Takes the lock; false if another program has it, or this one. */
  private static boolean isFree(FileChannel channel) {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException | IOException e) {
      return false;
    }
  }

  /** True of a folder that another program works in. */
  public static boolean isHeldByOther(Path folder) throws IOException {
    Path file = folder.resolve(LOCK);
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      return channel.tryLock() == null;
    } catch (OverlappingFileLockException e) {
      return false;
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
      release(path, lock);
    } catch (IOException e) {
      throw new UncheckedIOException(
          new IOException(path + ": cannot be removed: " + Reason.of(e), e));
    }
  }

  /** Removes a folder, its lock last. */
  private static void release(Path folder, Optional<FileChannel> lock) throws IOException {
    Path file = folder.resolve(LOCK);
    if (Files.exists(folder)) {
      try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
        for (Path path : all) {
          if (!path.equals(file)) {
            remove(path);
          }
        }
      }
      Files.deleteIfExists(file);
    }
    if (lock.isPresent()) {
      lock.get().close();
    }
    Files.deleteIfExists(folder);
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
