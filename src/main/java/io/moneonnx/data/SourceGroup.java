package io.moneonnx.data;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * Files of one tag, or all that have none: texts are one sequence of blocks, and no batch holds
 * samples of two groups.
 */
record SourceGroup(Optional<String> tag, List<CalibrationSource> sources, List<String> notices) {
  SourceGroup {
    sources = List.copyOf(sources);
    notices = List.copyOf(notices);
  }

  /** Reads all groups, in the order in which their tags come first. */
  static List<SourceGroup> read(
      List<DataSource> given, ModelInputs inputs, ModelFolder folder, CalibrationOptions options) {
    Map<Optional<String>, List<Path>> files = new LinkedHashMap<>();
    given.forEach(
        source -> files.computeIfAbsent(source.tag(), tag -> new ArrayList<>()).add(source.path()));
    return files.entrySet().stream()
        .map(group -> read(group.getKey(), group.getValue(), inputs, folder, options))
        .toList();
  }

  /** What the model wrote itself. */
  static SourceGroup of(OwnText text, ModelInputs inputs) {
    return new SourceGroup(text.tag(), List.of(TokenBlocks.of(text, inputs)), List.of());
  }

  private static SourceGroup read(
      Optional<String> tag,
      List<Path> files,
      ModelInputs inputs,
      ModelFolder folder,
      CalibrationOptions options) {
    List<CalibrationSource> sources = new ArrayList<>();
    List<String> notices = new ArrayList<>();
    int room = options.blocks().orElse(Integer.MAX_VALUE);
    List<Path> texts = files.stream().filter(file -> !DataSource.isArrays(file)).toList();
    if (!texts.isEmpty()) {
      sources.add(TokenBlocks.read(tag, texts, inputs, folder, options, room));
      room -= sources.get(0).samples();
    }
    for (Path arrays : files.stream().filter(DataSource::isArrays).toList()) {
      if (room > 0) {
        CalibrationSource source = NamedArrays.read(tag, arrays, inputs, room);
        sources.add(source);
        room -= source.samples();
      }
    }
    sources.forEach(source -> notices.addAll(source.notices()));
    String name = name(tag, files);
    shortfall(name, options.blocks(), room).ifPresent(notices::add);
    unread(files, sources).ifPresent(unread -> notices.add(name + ": " + unread));
    return new SourceGroup(tag, sources, notices);
  }

  /** What messages call files that belong together. */
  static String name(Optional<String> tag, List<Path> files) {
    return tag.map(called -> "'" + called + "'")
        .orElseGet(() -> files.stream().map(Path::toString).collect(Collectors.joining(", ")));
  }

  private static Optional<String> shortfall(String name, OptionalInt asked, int room) {
    return asked.isPresent() && room > 0
        ? Optional.of(
            "%s: %d blocks or samples, fewer than the %d asked for; all of them are used"
                .formatted(name, asked.getAsInt() - room, asked.getAsInt()))
        : Optional.empty();
  }

  private static Optional<String> unread(List<Path> files, List<CalibrationSource> sources) {
    List<Path> left = new ArrayList<>(files);
    sources.forEach(source -> source.files().forEach(file -> left.remove(file.path())));
    return left.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "not read, for there are enough blocks without: "
                + left.stream().map(Path::toString).collect(Collectors.joining(", ")));
  }
}
