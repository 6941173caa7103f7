package io.moneonnx.io;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.HeldFolder;
import io.moneonnx.graph.Reason;
import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Leaves big tensors that are one range of an original's data file there. A model must not refer to
 * what lies outside of its folder, so hard links lead to data files that do: {@code
 * OUT.linked.data}. All other big tensors are moved to a data file of its own.
 */
final class LinkedData implements TensorSink {
  private final Set<Path> originals;
  private final Path out;
  private final DataNames names;
  private final Path folder;
  private final WeightsFile moved;
  private final Map<Path, String> locations = new LinkedHashMap<>();
  private final Set<FileRange> left = new LinkedHashSet<>();

  /**
   * @param originals the data files that may be referred to
   * @param out where the model file is going to lie
   * @param names those that links there may have
   * @param moved takes what has to move
   */
  LinkedData(Set<Path> originals, Path out, DataNames names, WeightsFile moved) throws IOException {
    this.originals = originals;
    this.out = out;
    this.names = names;
    this.folder = realFolder(out);
    this.moved = moved;
  }

  /** The folder may be one that is yet to appear. */
  private static Path realFolder(Path out) throws IOException {
    Path folder = out.toAbsolutePath().getParent();
    return Files.exists(folder) ? folder.toRealPath() : folder;
  }

  /**
   * Checks that a model at {@code out} can refer to a model's data files.
   *
   * @throws BadInputException if it cannot; says why
   */
  static void require(ModelFiles original, Path out) {
    if (original.data().isEmpty()) {
      throw new BadInputException(
          "%s: its weights are in the model file itself, to which nothing can be linked; 'rewrite --pack --external' writes them to a data file"
              .formatted(original.model()));
    }
    try (HeldFolder trial = DraftFolders.beside(out)) {
      int number = 0;
      for (Path data : original.data()) {
        link(trial.path().resolve(Integer.toString(number++)), data, out);
      }
    }
  }

  @Override
  public boolean take(Tensor tensor, TensorProto.Builder proto) {
    if (tensor.byteSize() < SMALL
        || !(tensor instanceof Tensor.External external)
        || external.ranges().size() != 1
        || !originals.contains(external.ranges().get(0).file())) {
      return moved.take(tensor, proto);
    }
    FileRange range = external.ranges().get(0);
    String location = locations.computeIfAbsent(range.file(), this::location);
    ExternalData.describe(proto, location, range.offset(), range.length());
    left.add(range);
    return true;
  }

  private String location(Path data) {
    if (data.startsWith(folder)) {
      return folder.relativize(data).toString().replace('\\', '/');
    }
    return names.linkTo(data);
  }

  /** Makes links to all that was left, where a model in {@code draft} looks for it. */
  void linkInto(Path draft) throws IOException {
    for (Map.Entry<Path, String> entry : locations.entrySet()) {
      Path link = draft.resolve(entry.getValue());
      Files.createDirectories(link.getParent());
      link(link, entry.getKey(), out);
    }
  }

  private static void link(Path link, Path data, Path out) {
    try {
      Files.createLink(link, data);
    } catch (IOException | UnsupportedOperationException e) {
      throw new BadInputException(
          "%s: no hard link to %s can be made there (%s); write the model into the original's directory, or without --link"
              .formatted(out, data, reason(e)),
          e);
    }
  }

  /** Without the name that the link was to have for a while. */
  private static String reason(Exception e) {
    return e instanceof FileSystemException failure && failure.getReason() != null
        ? failure.getReason().replaceFirst("^.*: ", "")
        : Reason.of(e);
  }

  /** What all of these left, as the published models refer to it; what several did, once. */
  static Written.Linked linked(Collection<LinkedData> all) {
    Set<FileRange> ranges = new LinkedHashSet<>();
    all.forEach(linked -> ranges.addAll(linked.left));
    return new Written.Linked(
        all.stream().flatMap(LinkedData::files).distinct().toList(),
        ranges.stream().mapToLong(FileRange::length).sum());
  }

  private Stream<Path> files() {
    return locations.values().stream().map(out::resolveSibling);
  }
}
