package io.moneonnx;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Graphs that real exporters emitted, in the folder that the system property {@code zoo} names, and
 * what is expected of each. Tests that walk them are skipped where there is none.
 */
public final class RealExports {
  /** The property is not set: the one element that a skipped test is given. */
  public static final Path ABSENT = Path.of("");

  private RealExports() {}

  private static Optional<Path> folder() {
    String folder = System.getProperty("zoo", "");
    return folder.isEmpty() ? Optional.empty() : Optional.of(Path.of(folder));
  }

  /** Every model file, sub-folders included. */
  public static List<Path> files() throws IOException {
    if (folder().isEmpty()) {
      return List.of(ABSENT);
    }
    try (Stream<Path> files = Files.walk(folder().get())) {
      return files.filter(file -> file.toString().endsWith(".onnx")).sorted().toList();
    }
  }

  /** Model directories of the onnxruntime-genai builder; {@link #ABSENT} where there are none. */
  public static List<Path> directories() throws IOException {
    if (folder().isEmpty()) {
      return List.of(ABSENT);
    }
    try (Stream<Path> directories = Files.list(folder().get().resolve("genai"))) {
      return directories.sorted().toList();
    }
  }

  /** What is expected of one graph. */
  public record Expected(
      Path file, String name, String family, int blocks, int experts, int topK, boolean refuse) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** All graphs of which something is expected; one of the name {@code ""} where there are none. */
  public static List<Expected> expected() throws IOException {
    if (folder().isEmpty()) {
      return List.of(new Expected(ABSENT, "", "", 0, 0, 0, false));
    }
    try (Reader reader = Files.newBufferedReader(folder().get().resolve("expected.json"))) {
      return JsonParser.parseReader(reader).getAsJsonObject().entrySet().stream()
          .map(entry -> expected(entry.getKey(), entry.getValue().getAsJsonObject()))
          .toList();
    }
  }

  private static Expected expected(String name, JsonObject facts) {
    return new Expected(
        folder().orElseThrow().resolve(name + ".onnx"),
        name,
        facts.get("family").getAsString(),
        facts.get("blocks").getAsInt(),
        facts.get("experts").getAsInt(),
        facts.get("k").getAsInt(),
        facts.get("refuse").getAsBoolean());
  }
}
