package io.moneonnx.io;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The files that a model was read from.
 *
 * @param root the folder that a rewritten copy is made of where a folder is asked for
 * @param model the model file, somewhere in {@code root}
 * @param all it and its data files, each once, wherever links lead
 */
public record ModelFiles(Path root, Path model, Set<Path> all) {
  private static final String SUFFIX = ".onnx";
  private static final Path HISTORY = Path.of(".git");
  private static final Path BLOBS = Path.of("blobs");

  public ModelFiles {
    all = Collections.unmodifiableSet(new LinkedHashSet<>(all));
  }

  /**
   * The files of a model, whose folder is the root.
   *
   * @param file where {@code model} was read from
   */
  public static ModelFiles of(Path file, Model model) {
    return of(file, file, model);
  }

  /**
   * The files of a model that a user gave.
   *
   * @param given {@code file}, or a folder that it lies in, which is the root then
   */
  public static ModelFiles of(Path given, Path file, Model model) {
    try {
      Set<Path> all = new LinkedHashSet<>(Set.of(file.toRealPath()));
      for (Path data : model.sources().toList()) {
        all.add(data.toRealPath());
      }
      Path root = Files.isDirectory(given) ? given : file.toAbsolutePath().getParent();
      return new ModelFiles(root.toAbsolutePath(), file, all);
    } catch (IOException e) {
      throw new BadInputException(file + ": cannot be read: " + Reason.of(e), e);
    }
  }

  /** The folder that the model file lies in. */
  public Path folder() {
    return model.toAbsolutePath().getParent();
  }

  /** The path of the model file from the root. */
  Path name() {
    return root.relativize(model.toAbsolutePath());
  }

  /** Bytes of all files. */
  public long bytes() {
    try {
      return bytes(all);
    } catch (IOException e) {
      throw new BadInputException(model + ": cannot be read: " + Reason.of(e), e);
    }
  }

  /** Bytes of all of these files. */
  static long bytes(Collection<Path> files) throws IOException {
    long bytes = 0;
    for (Path file : files) {
      bytes += Files.size(file);
    }
    return bytes;
  }

  /** The data files. */
  Set<Path> data() {
    Set<Path> data = new LinkedHashSet<>(all);
    data.remove(all.iterator().next());
    return data;
  }

  /** True where both read a data file and lie in the same folder. */
  boolean sharesData(ModelFiles other) {
    return folder().equals(other.folder()) && !Collections.disjoint(data(), other.data());
  }

  /** The name of the only data file, or the usual one. */
  String dataName() {
    List<Path> data = List.copyOf(data());
    return data.size() == 1 ? data.get(0).getFileName().toString() : model.getFileName() + ".data";
  }

  /** The same files as part of a larger root. */
  public ModelFiles within(Path larger) {
    return new ModelFiles(larger, model, all);
  }

  /** These files and those of models in the same root, each once. */
  public ModelFiles with(Collection<ModelFiles> others) {
    Set<Path> union = new LinkedHashSet<>(all);
    others.forEach(other -> union.addAll(other.all));
    return new ModelFiles(root, model, union);
  }

  /**
   * Which of these files other models in the root read, by their real paths, and one that does.
   *
   * @throws BadInputException if that is a model file, which cannot stay as it is
   */
  public Map<Path, Path> readByOthers() {
    Map<Path, Path> read = new LinkedHashMap<>();
    for (Path other : otherModels()) {
      filesOf(other).stream().filter(all::contains).forEach(file -> read.put(file, other));
    }
    read.forEach(
        (file, other) -> {
          if (file.toString().endsWith(SUFFIX)) {
            throw new BadInputException(
                "%s: its weights lie in '%s', and it would be left without them"
                    .formatted(other, file.getFileName()));
          }
        });
    return read;
  }

  /** Other model files in the root. */
  public List<Path> otherModels() {
    return files().stream()
        .filter(other -> other.toString().endsWith(SUFFIX) && Files.isRegularFile(other))
        .filter(other -> !all.contains(DataLocations.real(other)))
        .sorted()
        .toList();
  }

  /**
   * True of a data file that a model beside it reads, another one than {@code model}, as linked
   * ones do.
   */
  static boolean isReadByOther(Path data, Path model) {
    Path real = DataLocations.real(data);
    try (Stream<Path> beside = Files.list(real.getParent())) {
      return beside
          .filter(other -> other.toString().endsWith(SUFFIX))
          .filter(other -> !other.getFileName().equals(model.getFileName()))
          .anyMatch(other -> filesOf(other).contains(real));
    } catch (IOException e) {
      throw new BadInputException(data + ": cannot be replaced: " + Reason.of(e), e);
    }
  }

  /** A model file itself, and its data files. */
  private static Set<Path> filesOf(Path file) {
    Set<Path> all = DataLocations.of(file);
    all.add(DataLocations.real(file));
    return all;
  }

  /**
   * Checks that a rewritten copy of the root may be written.
   *
   * @param force whether a folder that is there may be replaced; only one with a model of the same
   *     name ever is, for a slip of the finger must not cost a home folder
   * @throws BadInputException if it may not, or is, holds or lies in this folder
   */
  public void requireRoom(Path out, boolean force) {
    Path here = DataLocations.real(root);
    Path there = DataLocations.real(out);
    if (there.startsWith(here) || here.startsWith(there)) {
      throw new BadInputException(
          out + ": is the model's folder, in it or around it; give another output with -o");
    } else if (!Files.exists(out)) {
      return;
    } else if (!Files.isDirectory(out)) {
      throw new BadInputException(out + ": is a file, expected a folder to write");
    } else if (!force) {
      throw new BadInputException(out + ": exists already; --force replaces it");
    } else if (!Files.exists(out.resolve(name()))) {
      throw new BadInputException(
          "%s: holds no %s; --force replaces only folders that do".formatted(out, name()));
    }
  }

  /**
   * Checks that a model at {@code out} can refer to these data files.
   *
   * @throws BadInputException if there are none, or no hard link from there can lead to them
   */
  public void requireLinkable(Path out) {
    LinkedData.require(this, out);
  }

  /** Bytes of what else lies in the root. */
  long bytesOfOthers() throws IOException {
    long bytes = 0;
    for (Path other : others()) {
      bytes += Files.isDirectory(other) ? 0 : Files.size(other);
    }
    return bytes;
  }

  /**
   * Copies what else lies in the root: configuration, tokenizer, other models with the data that
   * they read, sub-folders.
   */
  void copyOthers(Path to) throws IOException {
    for (Path other : others()) {
      Path target = to.resolve(root.relativize(other).toString());
      if (Files.isDirectory(other)) {
        Files.createDirectories(target);
      } else {
        Files.copy(other, target);
      }
    }
  }

  /** What stays as it is, folders before what is in them. */
  private List<Path> others() {
    Set<Path> rewritten = new LinkedHashSet<>(all);
    rewritten.removeAll(readByOthers().keySet());
    return files().stream().filter(file -> !rewritten.contains(DataLocations.real(file))).toList();
  }

  /**
   * What of the root is not copied, and why: what is no file, cannot be read, or lies elsewhere,
   * but for the files of a cache of the Hugging Face Hub, all of which are links into its {@code
   * blobs}.
   */
  public SortedMap<Path, String> left() {
    SortedMap<Path, String> left = new TreeMap<>(contents().left);
    left.keySet().removeIf(file -> all.contains(DataLocations.real(file)));
    return left;
  }

  /** Folders before what is in them; links are followed, version control is left behind. */
  private List<Path> files() {
    return contents().found;
  }

  private Contents contents() {
    try {
      Contents contents = new Contents(root, root.toRealPath());
      Files.walkFileTree(root, Set.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, contents);
      return contents;
    } catch (IOException e) {
      throw new BadInputException(root + ": cannot be read: " + Reason.of(e), e);
    }
  }

  /** What is found in the root, and what is left there. */
  private static final class Contents extends SimpleFileVisitor<Path> {
    private final List<Path> found = new ArrayList<>();
    private final SortedMap<Path, String> left = new TreeMap<>();
    private final Path root;
    private final Path real;

    Contents(Path root, Path real) {
      this.root = root;
      this.real = real;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
        throws IOException {
      if (folder.equals(root)) {
        return FileVisitResult.CONTINUE;
      } else if (root.relativize(folder).startsWith(HISTORY) || isElsewhere(folder)) {
        return FileVisitResult.SKIP_SUBTREE;
      }
      found.add(folder);
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      if (file.equals(root.resolve(HISTORY))) {
        return FileVisitResult.CONTINUE;
      } else if (attributes.isSymbolicLink()) {
        left.put(file, "a link to what is not there");
      } else if (!attributes.isRegularFile()) {
        left.put(file, "no regular file");
      } else if (!isElsewhere(file)) {
        found.add(file);
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
      if (file.equals(root)) {
        throw e;
      }
      left.put(
          file,
          e instanceof FileSystemLoopException
              ? "a link to a folder that it lies in"
              : "cannot be read: " + Reason.of(e));
      return FileVisitResult.CONTINUE;
    }

    private boolean isElsewhere(Path path) throws IOException {
      Path target = path.toRealPath();
      Path blobs = target.getParent();
      boolean isCached =
          blobs != null && blobs.endsWith(BLOBS) && real.startsWith(blobs.getParent());
      if (target.startsWith(real) || isCached) {
        return false;
      }
      left.put(path, "a link out of the folder, to " + target);
      return true;
    }
  }
}
