package io.moneonnx.data;

import static java.util.stream.Collectors.joining;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What lies beside a model by convention: calibration data, a tokenizer, facts about it. A folder
 * called {@code onnx} is part of the one around it, as in repositories of the Hugging Face Hub.
 */
public record ModelFolder(Path path) {
  private static final List<String> CALIBRATION =
      List.of("calibration.txt", "calibration.jsonl", "calibration.npz");
  private static final List<String> HELD_OUT =
      List.of("heldout.txt", "heldout.jsonl", "heldout.npz");
  private static final String TOKENIZER = "tokenizer.json";
  private static final String GENAI = "genai_config.json";
  private static final String SUFFIX = ".onnx";
  private static final String INNER = "onnx";
  private static final String WHOLE = "model.onnx";
  private static final String VARIANT = "model_";

  /** The most tokens in a row that a model takes, and the file that says so. */
  public record ContextLength(int tokens, Path statedBy) {}

  /** The folder that {@code model} lies in. */
  public static ModelFolder of(Path model) {
    Path parent = model.getParent();
    return new ModelFolder(parent == null ? Path.of(".") : parent);
  }

  /** True of what is called as a model file is, there or not, and of a folder with models in it. */
  public static boolean isModel(Path given) {
    if (!Files.isDirectory(given)) {
      return given.toString().endsWith(SUFFIX);
    }
    ModelFolder folder = new ModelFolder(given);
    Path inner = given.resolve(INNER);
    return Files.isRegularFile(given.resolve(GENAI))
        || !folder.files(name -> name.endsWith(SUFFIX)).isEmpty()
        || (Files.isDirectory(inner) && isModel(inner));
  }

  /**
   * The model file in the folder: the one that {@code genai_config.json} names, or else the only
   * one, or {@code model.onnx} beside others that are called after it, such as {@code
   * model_fp16.onnx}, or the only one of several that is fed tokens alone. Where there is none, the
   * one in the folder {@code onnx} in it.
   *
   * @param isFedTokens tells models that are fed tokens and nothing that other runs put out
   * @throws BadInputException if it is not there, or cannot be told from others
   */
  public Path model(Predicate<Path> isFedTokens) {
    return named().orElseGet(() -> onlyModel(isFedTokens));
  }

  private Optional<Path> named() {
    Optional<String> named =
        stated(GENAI, "model", "decoder", "filename")
            .filter(value -> value.isString() && Files.isRegularFile(path.resolve(GENAI)))
            .map(JsonPrimitive::getAsString);
    named
        .filter(file -> !files(file::equals).contains(path.resolve(file)))
        .ifPresent(
            missing -> {
              throw new BadInputException(
                  "%s names the model '%s', which is no file in %s"
                      .formatted(path.resolve(GENAI), missing, path));
            });
    return named.map(path::resolve);
  }

  private Path onlyModel(Predicate<Path> isFedTokens) {
    List<Path> all = files(name -> name.endsWith(SUFFIX));
    if (all.isEmpty() && Files.isDirectory(path.resolve(INNER))) {
      return new ModelFolder(path.resolve(INNER)).onlyModel(isFedTokens);
    }
    List<Path> models = withoutVariants(all);
    if (models.size() > 1) {
      List<Path> fed = models.stream().filter(isFedTokens).toList();
      models = fed.size() == 1 ? fed : models;
    }
    if (models.size() != 1) {
      String found =
          models.isEmpty()
              ? "none"
              : models.stream().map(Path::getFileName).map(Path::toString).collect(joining(", "));
      throw new BadInputException(
          "%s: is a folder, expected one %s file in it, one that takes tokens alone, or a %s that names one; found %s"
              .formatted(path, SUFFIX, GENAI, found));
    }
    return models.get(0);
  }

  private List<Path> withoutVariants(List<Path> models) {
    boolean isWhole = models.contains(path.resolve(WHOLE));
    return models.stream()
        .filter(model -> !isWhole || !model.getFileName().toString().startsWith(VARIANT))
        .toList();
  }

  private List<Path> files(Predicate<String> name) {
    try (Stream<Path> files = Files.list(path)) {
      return files
          .filter(file -> name.test(file.getFileName().toString()) && Files.isRegularFile(file))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new BadInputException(path + ": cannot be read: " + Reason.of(e), e);
    }
  }

  /** True where calibration data lie beside the model, with a tokenizer if they are text. */
  public boolean hasCalibration() {
    return firstOf(CALIBRATION)
        .map(data -> data.toString().endsWith(".npz") || anyTokenizer().isPresent())
        .orElse(false);
  }

  /**
   * The calibration data beside the model.
   *
   * @throws BadInputException if there are none; it says what was looked for
   */
  public Path calibration() {
    return firstOf(CALIBRATION, "calibration data", "--data");
  }

  /**
   * The data beside the model that nothing was trained or calibrated on.
   *
   * @param option what names other data, for the message
   * @throws BadInputException if there are none; it says what was looked for
   */
  public Path heldOut(String option) {
    return firstOf(HELD_OUT, "held-out data", option);
  }

  /** The same, if there are any. */
  public Optional<Path> heldOut() {
    return firstOf(HELD_OUT);
  }

  private Optional<Path> firstOf(List<String> names) {
    return names.stream().flatMap(name -> beside(name).stream()).findFirst();
  }

  private Optional<Path> beside(String name) {
    Path real = path.toAbsolutePath().normalize();
    Stream<Path> around =
        real.endsWith(INNER) ? Stream.of(real.resolveSibling(name)) : Stream.empty();
    return Stream.concat(Stream.of(path.resolve(name)), around)
        .filter(Files::isRegularFile)
        .findFirst();
  }

  private Path firstOf(List<String> names, String what, String option) {
    return firstOf(names)
        .orElseThrow(
            () ->
                new BadInputException(
                    "no %s: name some with %s, or put one of %s into %s"
                        .formatted(what, option, String.join(", ", names), path)));
  }

  /**
   * The tokenizer beside the model.
   *
   * @throws BadInputException if there is none
   */
  public Path tokenizer() {
    return anyTokenizer()
        .orElseThrow(
            () ->
                new BadInputException(
                    "text needs a tokenizer: name a tokenizer.json with --tokenizer, or put it into "
                        + path));
  }

  /** The same, if there is one. */
  Optional<Path> anyTokenizer() {
    return beside(TOKENIZER);
  }

  /** The token that a text begins with, as {@code config.json} or {@code genai_config.json} say. */
  Optional<Long> beginToken() {
    return Stream.of(
            stated("config.json", "bos_token_id"),
            stated("config.json", "text_config", "bos_token_id"),
            stated(GENAI, "model", "bos_token_id"))
        .flatMap(Optional::stream)
        .filter(JsonPrimitive::isNumber)
        .map(JsonPrimitive::getAsLong)
        .findFirst();
  }

  /**
   * What {@code config.json} (Hugging Face) or {@code genai_config.json} (ONNX Runtime GenAI) says
   * of the model's longest sequence.
   */
  public Optional<ContextLength> contextLength() {
    return Stream.of(
            length("config.json", "max_position_embeddings"),
            length("config.json", "text_config", "max_position_embeddings"),
            length(GENAI, "model", "context_length"))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private Optional<ContextLength> length(String name, String... keys) {
    return stated(name, keys)
        .filter(JsonPrimitive::isNumber)
        .map(tokens -> new ContextLength(tokens.getAsInt(), beside(name).orElseThrow()));
  }

  private Optional<JsonPrimitive> stated(String name, String... keys) {
    Optional<Path> file = beside(name);
    if (file.isEmpty()) {
      return Optional.empty();
    }
    JsonElement found = parse(file.orElseThrow());
    for (String key : keys) {
      found = found instanceof JsonObject object ? object.get(key) : null;
    }
    return found instanceof JsonPrimitive value ? Optional.of(value) : Optional.empty();
  }

  private static JsonElement parse(Path file) {
    try (Reader reader = Files.newBufferedReader(file)) {
      return JsonParser.parseReader(reader);
    } catch (IOException | JsonParseException e) {
      throw new BadInputException(file + " is no readable JSON: " + Reason.of(e), e);
    }
  }
}
