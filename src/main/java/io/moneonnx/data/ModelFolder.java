package io.moneonnx.data;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What lies beside a model by convention: calibration data, a tokenizer, facts about it. */
public record ModelFolder(Path path) {
  private static final List<String> CALIBRATION =
      List.of("calibration.txt", "calibration.jsonl", "calibration.npz");
  private static final String TOKENIZER = "tokenizer.json";

  /** The most tokens in a row that a model takes, and the file that says so. */
  public record ContextLength(int tokens, Path statedBy) {}

  /** The folder that {@code model} lies in. */
  public static ModelFolder of(Path model) {
    Path parent = model.getParent();
    return new ModelFolder(parent == null ? Path.of(".") : parent);
  }

  /** True where calibration data lie beside the model, with a tokenizer if they are text. */
  public boolean hasCalibration() {
    return CALIBRATION.stream()
        .filter(name -> Files.isRegularFile(path.resolve(name)))
        .findFirst()
        .map(name -> name.endsWith(".npz") || Files.isRegularFile(path.resolve(TOKENIZER)))
        .orElse(false);
  }

  /**
   * The calibration data beside the model.
   *
   * @throws BadInputException if there are none; it says what was looked for
   */
  public Path calibration() {
    return CALIBRATION.stream()
        .map(path::resolve)
        .filter(Files::isRegularFile)
        .findFirst()
        .orElseThrow(
            () ->
                new BadInputException(
                    "no calibration data: name some with --data, or put one of %s into %s"
                        .formatted(String.join(", ", CALIBRATION), path)));
  }

  /**
   * The tokenizer beside the model.
   *
   * @throws BadInputException if there is none
   */
  public Path tokenizer() {
    Path file = path.resolve(TOKENIZER);
    if (!Files.isRegularFile(file)) {
      throw new BadInputException(
          "text needs a tokenizer: name a tokenizer.json with --tokenizer, or put it into " + path);
    }
    return file;
  }

  /**
   * What {@code config.json} (Hugging Face) or {@code genai_config.json} (ONNX Runtime GenAI) says
   * of the model's longest sequence.
   */
  public Optional<ContextLength> contextLength() {
    return Stream.of(
            stated("config.json", "max_position_embeddings"),
            stated("config.json", "text_config", "max_position_embeddings"),
            stated("genai_config.json", "model", "context_length"))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private Optional<ContextLength> stated(String name, String... keys) {
    Path file = path.resolve(name);
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    JsonElement found = parse(file);
    for (String key : keys) {
      found = found instanceof JsonObject object ? object.get(key) : null;
    }
    return found != null && found.isJsonPrimitive() && found.getAsJsonPrimitive().isNumber()
        ? Optional.of(new ContextLength(found.getAsInt(), file))
        : Optional.empty();
  }

  private static JsonElement parse(Path file) {
    try (Reader reader = Files.newBufferedReader(file)) {
      return JsonParser.parseReader(reader);
    } catch (IOException | JsonParseException e) {
      throw new BadInputException(file + " is no readable JSON: " + Reason.of(e), e);
    }
  }
}
