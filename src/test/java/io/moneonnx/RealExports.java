package io.moneonnx;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Graphs that real exporters emitted, and what is expected of each: those of {@code
 * test-data/exports}, and those of the folder that the system property {@code zoo} names. A name
 * that both folders have is walked once.
 */
public final class RealExports {
  /** What the repository holds itself. */
  public static final Path HERE = Path.of("test-data", "exports");

  /** What tracing leaves of a block, for the number of router outputs. */
  private static final String TRACED =
      "traced-example: \\d+ expert regions for %d router outputs.*its example input.*"
          + "export again with .*";

  private RealExports() {}

  private static List<Path> folders() {
    String zoo = System.getProperty("zoo", "");
    return zoo.isEmpty() ? List.of(HERE) : List.of(HERE, Path.of(zoo));
  }

  /** Every model file, sub-folders included. */
  public static List<Path> files() throws IOException {
    Map<Path, Path> files = new LinkedHashMap<>();
    for (Path folder : folders()) {
      try (Stream<Path> found = Files.walk(folder)) {
        found
            .filter(file -> file.toString().endsWith(".onnx"))
            .sorted()
            .forEach(file -> files.putIfAbsent(folder.relativize(file), file));
      }
    }
    return List.copyOf(files.values());
  }

  /** Model directories of the onnxruntime-genai builder. */
  public static List<Path> directories() throws IOException {
    Map<Path, Path> directories = new LinkedHashMap<>();
    for (Path folder : folders()) {
      try (Stream<Path> found = Files.list(folder.resolve("genai"))) {
        found
            .sorted()
            .forEach(directory -> directories.putIfAbsent(directory.getFileName(), directory));
      }
    }
    return List.copyOf(directories.values());
  }

  /**
   * What is expected of one graph.
   *
   * @param form of all blocks, where it is written down
   * @param refusal a regular expression of why each router is left alone, of graphs without a block
   * @param isRun whether ONNX Runtime runs it; others are looked into only
   */
  public record Expected(
      Path file,
      String name,
      Optional<String> form,
      int blocks,
      int experts,
      int topK,
      Optional<String> refusal,
      boolean isRun) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** All graphs of which something is expected. */
  public static List<Expected> all() throws IOException {
    Map<String, Expected> expected = new LinkedHashMap<>();
    for (Path folder : folders()) {
      for (Expected graph : written(folder)) {
        expected.putIfAbsent(graph.name(), graph);
      }
    }
    for (Path directory : directories()) {
      Expected graph = built(directory);
      expected.putIfAbsent(graph.name(), graph);
    }
    return List.copyOf(expected.values());
  }

  /** All graphs in which blocks are found that run. */
  public static List<Expected> taken() throws IOException {
    return all().stream().filter(graph -> graph.refusal().isEmpty() && graph.isRun()).toList();
  }

  /** All graphs whose blocks are left alone. */
  public static List<Expected> refused() throws IOException {
    return all().stream().filter(graph -> graph.refusal().isPresent()).toList();
  }

  private static List<Expected> written(Path folder) {
    try (Reader reader = Files.newBufferedReader(folder.resolve("expected.json"))) {
      List<Expected> graphs = new ArrayList<>();
      JsonParser.parseReader(reader)
          .getAsJsonObject()
          .asMap()
          .forEach((name, facts) -> graphs.add(expected(folder, name, facts.getAsJsonObject())));
      return graphs;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Expected expected(Path folder, String name, JsonObject facts) {
    int experts = facts.get("experts").getAsInt();
    Optional<String> refusal =
        facts.get("refuse").getAsBoolean()
            ? Optional.of(text(facts, "reason").orElse(TRACED.formatted(experts)))
            : Optional.empty();
    return new Expected(
        model(folder.resolve(name)),
        name,
        text(facts, "form"),
        facts.get("blocks").getAsInt(),
        experts,
        facts.get("k").getAsInt(),
        refusal,
        !text(facts, "ort").equals(Optional.of("not run")));
  }

  private static Optional<String> text(JsonObject facts, String name) {
    return Optional.ofNullable(facts.get(name)).map(JsonElement::getAsString);
  }

  private static Path model(Path place) {
    return Files.isDirectory(place)
        ? place.resolve("model.onnx")
        : place.resolveSibling(place.getFileName() + ".onnx");
  }

  /** All that the onnxruntime-genai builder was asked for have the same blocks. */
  private static Expected built(Path directory) {
    return new Expected(
        directory.resolve("model.onnx"),
        "genai/" + directory.getFileName(),
        Optional.of("fused-operator"),
        2,
        8,
        2,
        Optional.empty(),
        true);
  }
}
