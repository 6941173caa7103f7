package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Data that can be read once only, from standard input or a pipe, put into a temporary file for as
 * long as the program runs: data are read several times. What a killed program left is removed by
 * the next one: it holds no lock any more.
 */
final class PipedData {
  private static final String STANDARD_INPUT = "-";
  private static final String PREFIX = "mone-onnx-piped-";
  private static final String LOCK = "lock";
  private static final List<String> NAMES = List.of("standard-input", "pipe", LOCK);

  /** A younger folder may not be locked yet. */
  private static final Duration YOUNG = Duration.ofSeconds(10);

  /** Locks that are held until the program ends, each of a folder of its own. */
  private static final List<FileLock> HELD = new ArrayList<>();

  private static final List<Path> OWN = new ArrayList<>();

  private PipedData() {}

  /** True of {@code -}, and of what is there and neither a file nor a folder. */
  static boolean isPiped(Path path) {
    return path.toString().equals(STANDARD_INPUT)
        || (Files.exists(path) && !Files.isRegularFile(path) && !Files.isDirectory(path));
  }

  /** The file with all that comes; its name is the same in every run. */
  static Path file(Path path) {
    boolean isStandard = path.toString().equals(STANDARD_INPUT);
    try (InputStream in = isStandard ? System.in : Files.newInputStream(path)) {
      Path folder = newFolder();
      Path file = folder.resolve(NAMES.get(isStandard ? 0 : 1));
      file.toFile().deleteOnExit();
      Files.copy(in, file);
      return file;
    } catch (IOException e) {
      throw new BadInputException(
          (isStandard ? "standard input" : path) + ": cannot be read: " + Reason.of(e), e);
    }
  }

  private static synchronized Path newFolder() throws IOException {
    Path folder = Files.createTempDirectory(PREFIX);
    folder.toFile().deleteOnExit();
    Path lock = folder.resolve(LOCK);
    lock.toFile().deleteOnExit();
    OWN.add(folder);
    HELD.add(
        FileChannel.open(lock, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE).lock());
    removeLeft(folder.getParent(), Instant.now().minus(YOUNG));
    return folder;
  }

  /** Removes folders that were made before, and that no program holds. */
  private static void removeLeft(Path parent, Instant before) {
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, PREFIX + "*")) {
      for (Path folder : folders) {
        if (!OWN.contains(folder)
            && Files.getLastModifiedTime(folder).toInstant().isBefore(before)) {
          removeUnheld(folder);
        }
      }
    } catch (IOException e) {
      // what others left is no matter of these data
    }
  }

  private static void removeUnheld(Path folder) {
    try (FileChannel channel = FileChannel.open(folder.resolve(LOCK), StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      if (lock != null) {
        for (String name : NAMES) {
          Files.deleteIfExists(folder.resolve(name));
        }
        Files.delete(folder);
      }
    } catch (IOException e) {
      // another user's, or just removed
    }
  }
}
