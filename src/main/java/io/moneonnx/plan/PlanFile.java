package io.moneonnx.plan;

import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import com.google.gson.stream.MalformedJsonException;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import io.moneonnx.io.Draft;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Plans as JSON that a person can read, edit and pass back.
 *
 * <pre>{@code
 * {
 *   "model": "sha256:0123456789abcdef0123456789abcdef",
 *   "profile": "sha256:fedcba9876543210fedcba9876543210",
 *   "criterion": "mone",
 *   "novice": "mean",
 *   "router": "keep",
 *   "budget": "ratio 0.25, scope layer",
 *   "ratio": 0.25,
 *   "blocks": [
 *     {
 *       "name": "/layers.0/mlp",
 *       "experts": 16,
 *       "pruned": [6, 8, 9, 10]
 *     }
 *   ]
 * }
 * }</pre>
 *
 * Only {@code model}, {@code router} and {@code blocks} must be there. The others say where the
 * plan came from, and {@code note} what else to know of it; it is not read.
 */
public final class PlanFile {
  private static final Set<String> KEYS =
      Set.of(
          "model", "profile", "criterion", "novice", "router", "budget", "ratio", "note", "blocks");
  private static final Set<String> BLOCK_KEYS = Set.of("name", "experts", "pruned");

  private PlanFile() {}

  /** Writes a plan, or nothing; a present file is replaced. */
  public static void write(Plan plan, Path file) {
    Draft.write(file, path -> Files.writeString(path, print(plan)));
  }

  /**
   * Reads a plan.
   *
   * @throws BadInputException if the file is no plan; names file, block and key, or line and column
   */
  public static Plan read(Path file) {
    if (Files.isDirectory(file)) {
      throw new BadInputException(file + ": is a folder, wanted a plan");
    } else if (!Files.exists(file)) {
      throw new BadInputException(file + ": no such file");
    }
    try {
      return parse(Files.readString(file));
    } catch (CharacterCodingException e) {
      throw new BadInputException(file + ": is no text in UTF-8", e);
    } catch (IOException e) {
      throw new BadInputException(file + ": cannot be read: " + Reason.of(e), e);
    } catch (BadInputException e) {
      throw new BadInputException(file + ": " + e.getMessage(), e);
    }
  }

  static String print(Plan plan) {
    StringWriter text = new StringWriter();
    try {
      JsonWriter json = new JsonWriter(text);
      json.setIndent("  ");
      json.beginObject();
      json.name("model").value(plan.model());
      text(json, "profile", plan.profile());
      text(json, "criterion", plan.criterion());
      text(json, "novice", plan.novice().map(Novice::toString));
      text(json, "router", Optional.of(plan.router().toString()));
      text(json, "budget", plan.budget());
      if (plan.ratio().isPresent()) {
        json.name("ratio").value(plan.ratio().get());
      }
      text(json, "note", plan.note());
      json.name("blocks").beginArray();
      for (Plan.Block block : plan.blocks()) {
        json.beginObject();
        json.name("name").value(block.name());
        json.name("experts").value(block.experts());
        // On one line, as a list prints itself: [0, 3, 7]
        json.name("pruned").jsonValue(block.pruned().toString());
        json.endObject();
      }
      json.endArray().endObject();
    } catch (IOException e) {
      throw new IllegalStateException("a string cannot be written to", e);
    }
    return text.append('\n').toString();
  }

  private static void text(JsonWriter json, String key, Optional<String> value) throws IOException {
    if (value.isPresent()) {
      json.name(key).value(value.get());
    }
  }

  static Plan parse(String text) {
    JsonMembers plan = JsonMembers.of("plan", tree(text)).only(KEYS);
    return new Plan(
        plan.text("model"),
        plan.optionalText("profile"),
        plan.optionalText("criterion"),
        plan.optionalText("novice").map(name -> oneOf(Novice.values(), "novice", name)),
        oneOf(Plan.Router.values(), "router", plan.text("router")),
        plan.optionalText("budget"),
        plan.has("ratio") ? Optional.of(plan.number("ratio")) : Optional.empty(),
        blocks(plan.array("blocks")));
  }

  private static <T> T oneOf(T[] values, String key, String text) {
    return Stream.of(values)
        .filter(value -> value.toString().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new BadInputException(
                    "plan: '%s' wants %s, found \"%s\""
                        .formatted(
                            key,
                            Stream.of(values)
                                .map(value -> "\"" + value + "\"")
                                .collect(Collectors.joining(" or ")),
                            text)));
  }

  private static List<Plan.Block> blocks(List<JsonElement> elements) {
    List<Plan.Block> blocks = new ArrayList<>();
    for (JsonElement element : elements) {
      JsonMembers block = JsonMembers.of("plan: blocks[" + blocks.size() + "]", element);
      String name = block.text("name");
      block = block.named("block '" + name + "'").only(BLOCK_KEYS);
      blocks.add(new Plan.Block(name, block.integer("experts"), block.integers("pruned")));
    }
    return blocks;
  }

  private static JsonElement tree(String text) {
    JsonReader reader = new JsonReader(new StringReader(text));
    reader.setStrictness(Strictness.STRICT);
    try {
      if (text.isBlank()) {
        throw new MalformedJsonException("the file is empty");
      }
      JsonElement tree = JsonParser.parseReader(reader);
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw new MalformedJsonException("the text goes on after the plan");
      }
      return tree;
    } catch (JsonParseException | IOException e) {
      throw new BadInputException("is no JSON: " + Reason.of(e), e);
    }
  }
}
