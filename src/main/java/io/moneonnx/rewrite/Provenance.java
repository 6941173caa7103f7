package io.moneonnx.rewrite;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Reason;
import io.moneonnx.json.Fields;
import io.moneonnx.json.JsonText;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * What a rewritten model says about itself in its metadata, so that other programs can read what
 * was done: how it was made under {@code mone-onnx.*}, and under {@code expert_substitution} which
 * experts were replaced by which tensors, in the shape that vLLM's and llm-compressor's pull
 * requests for MoNE propose. Experts that left the router too have no replacement there, but stand
 * under {@code removed}; the widths of those that were narrowed stand under {@code widths}.
 *
 * <p>A model may be rewritten again: then {@code expert_substitution} tells of all runs together,
 * ids being those of the first model, and how earlier runs were made stands under {@code
 * mone-onnx.earlier}.
 */
public final class Provenance {
  private static final String PREFIX = "mone-onnx.";
  private static final String SUBSTITUTION = "expert_substitution";
  private static final String EARLIER = PREFIX + "earlier";
  private static final String TARGETS = "targets";
  private static final String REPLACEMENTS = "replacements";
  private static final String REMOVED = "removed";
  private static final String WIDTHS = "widths";
  private static final String ROUTER = "router_semantics";
  private static final String SAME_ROUTER = "preserve_router_weights";

  private Provenance() {}

  /** The model with one more fact about how it was made. */
  public static Model with(Model model, String key, String value) {
    return model.withMetadata(PREFIX + key, value);
  }

  /** How a model was made, oldest run first; each run's facts by their keys. */
  public static List<Map<String, String>> runs(Model model) {
    Map<String, String> last = new TreeMap<>();
    model
        .metadata()
        .forEach(
            (key, value) -> {
              if (key.startsWith(PREFIX) && !key.equals(EARLIER)) {
                last.put(key.substring(PREFIX.length()), value);
              }
            });
    List<Map<String, String>> runs = new ArrayList<>(earlier(model));
    if (!last.isEmpty()) {
      runs.add(Collections.unmodifiableMap(last));
    }
    return List.copyOf(runs);
  }

  private static List<Map<String, String>> earlier(Model model) {
    return Optional.ofNullable(model.metadata().get(EARLIER))
        .map(json -> read(EARLIER, "list how it was made before", json, Provenance::facts))
        .orElse(List.of());
  }

  private static List<Map<String, String>> facts(JsonElement json) {
    List<Map<String, String>> runs = new ArrayList<>();
    for (JsonElement run : json.getAsJsonArray()) {
      Map<String, String> facts = new TreeMap<>();
      run.getAsJsonObject()
          .entrySet()
          .forEach(fact -> facts.put(fact.getKey(), fact.getValue().getAsString()));
      runs.add(Collections.unmodifiableMap(facts));
    }
    return runs;
  }

  /** The model with room for the facts of one more run: those of others are earlier ones now. */
  public static Model again(Model model) {
    List<Map<String, String>> runs = runs(model);
    if (runs.isEmpty()) {
      return model;
    }
    Map<String, String> metadata = new LinkedHashMap<>(model.metadata());
    metadata.keySet().removeIf(key -> key.startsWith(PREFIX));
    metadata.put(EARLIER, JsonText.of(runs));
    return model.withMetadata(metadata);
  }

  /**
   * One rewritten block.
   *
   * @param experts how many the router chooses from
   * @param novices the initializer whose rows are the novices, in the order of the replaced ids;
   *     empty where all are zero
   */
  record Target(String block, int experts, Change change, String novices) {}

  static Model with(Model model, Collection<Target> targets) {
    Fields router =
        new Fields()
            .with("preserve_logical_expert_ids", true)
            .with(
                SAME_ROUTER,
                targets.stream().noneMatch(target -> target.change() instanceof Removal))
            .with("renormalize_after_substitution", false);
    Fields blocks = new Fields();
    targets.forEach(target -> blocks.with(target.block(), json(target)));
    String json =
        JsonText.of(new Fields().with("version", 1).with(ROUTER, router).with(TARGETS, blocks));
    String before = model.metadata().get(SUBSTITUTION);
    return model.withMetadata(
        SUBSTITUTION, before == null ? json : substitution(before, old -> merged(old, json)));
  }

  /**
   * The model that says of these blocks what another says of them.
   *
   * @param other one in which they were rewritten, or nothing was
   */
  public static Model withBlocks(Model model, Collection<String> blocks, Model other) {
    String now = other.metadata().get(SUBSTITUTION);
    if (now == null) {
      return model;
    }
    JsonObject added = JsonParser.parseString(now).getAsJsonObject().getAsJsonObject(TARGETS);
    added.keySet().retainAll(blocks);
    return model.withMetadata(
        SUBSTITUTION,
        substitution(
            model.metadata().get(SUBSTITUTION),
            own -> {
              JsonObject targets = own.getAsJsonObject(TARGETS);
              added.entrySet().forEach(block -> targets.add(block.getKey(), block.getValue()));
              return own.toString();
            }));
  }

  /** What both say together. */
  private static String merged(JsonObject before, String json) {
    JsonObject now = JsonParser.parseString(json).getAsJsonObject();
    JsonObject router = before.getAsJsonObject(ROUTER);
    if (!now.getAsJsonObject(ROUTER).get(SAME_ROUTER).getAsBoolean()) {
      router.addProperty(SAME_ROUTER, false);
    }
    JsonObject targets = before.getAsJsonObject(TARGETS);
    now.getAsJsonObject(TARGETS)
        .entrySet()
        .forEach(
            block -> {
              JsonObject change = block.getValue().getAsJsonObject();
              if (targets.has(block.getKey())) {
                merge(targets.getAsJsonObject(block.getKey()), change);
              } else {
                targets.add(block.getKey(), change);
              }
            });
    return before.toString();
  }

  /** Ids that go for good lose the width that they had. */
  private static void merge(JsonObject before, JsonObject now) {
    for (String key : List.of(REPLACEMENTS, WIDTHS)) {
      if (now.has(key)) {
        if (!before.has(key)) {
          before.add(key, new JsonObject());
        }
        JsonObject all = before.getAsJsonObject(key);
        now.getAsJsonObject(key).entrySet().forEach(id -> all.add(id.getKey(), id.getValue()));
      }
    }
    if (now.has(REMOVED)) {
      if (!before.has(REMOVED)) {
        before.add(REMOVED, new JsonArray());
      }
      before.getAsJsonArray(REMOVED).addAll(now.getAsJsonArray(REMOVED));
    }
    if (before.has(WIDTHS)) {
      Gone gone = gone(now);
      gone.all().forEach(id -> before.getAsJsonObject(WIDTHS).remove(id.toString()));
    }
  }

  private static Fields json(Target target) {
    Fields replacements = new Fields();
    Optional<Fields> widths = Optional.empty();
    if (target.change() instanceof Replacement replacement) {
      int row = 0;
      for (int expert : replacement.experts()) {
        replacements.with(Integer.toString(expert), novice(target.novices(), row++));
      }
      widths = Optional.of(widths(replacement)).filter(any -> !replacement.narrow().isEmpty());
    }
    Fields block =
        new Fields()
            .with("num_logical_experts", target.experts())
            .with("weight_layout", "compact_retained_experts")
            .with(REPLACEMENTS, replacements)
            .withAny(WIDTHS, widths);
    return target.change() instanceof Removal removal
        ? block.with(REMOVED, removal.experts())
        : block;
  }

  private static Fields novice(String novices, int row) {
    return novices.isEmpty()
        ? new Fields().with("format", "zero-v1").with("tensors", new Fields())
        : new Fields()
            .with("format", "constant-v1")
            .with("tensors", new Fields().with("value", novices + "[" + row + "]"));
  }

  private static Fields widths(Replacement replacement) {
    Fields widths = new Fields();
    replacement.narrow().forEach((id, kept) -> widths.with(Integer.toString(id), kept.width()));
    return widths;
  }

  /**
   * The experts of one block that are gone, by id.
   *
   * @param replaced those that a novice stands in for, and the initializer that holds the novice;
   *     empty for a novice that is zero
   * @param removed those that the router lost too
   * @param widths of experts that are there, and were narrowed
   */
  public record Gone(
      NavigableMap<Integer, String> replaced,
      NavigableSet<Integer> removed,
      NavigableMap<Integer, Integer> widths) {
    /** Every expert is there. */
    public static final Gone NONE = new Gone(new TreeMap<>(), new TreeSet<>(), new TreeMap<>());

    public Gone {
      replaced = Collections.unmodifiableNavigableMap(new TreeMap<>(replaced));
      removed = Collections.unmodifiableNavigableSet(new TreeSet<>(removed));
      widths = Collections.unmodifiableNavigableMap(new TreeMap<>(widths));
    }

    /** Those that own no weights any more. */
    public Set<Integer> all() {
      Set<Integer> all = new TreeSet<>(replaced.keySet());
      all.addAll(removed);
      return all;
    }

    /** What went after an earlier run. */
    public Gone since(Gone earlier) {
      NavigableMap<Integer, String> newlyReplaced = new TreeMap<>(replaced);
      newlyReplaced.keySet().removeAll(earlier.replaced.keySet());
      NavigableSet<Integer> newlyRemoved = new TreeSet<>(removed);
      newlyRemoved.removeAll(earlier.removed);
      return new Gone(newlyReplaced, newlyRemoved, widths);
    }
  }

  /**
   * By block the experts that are gone; empty where the model does not say.
   *
   * @throws BadInputException if what it says cannot be read
   */
  public static Optional<Map<String, Gone>> gone(Model model) {
    return Optional.ofNullable(model.metadata().get(SUBSTITUTION))
        .map(json -> substitution(json, Provenance::blocks));
  }

  private static <T> T substitution(String json, Function<JsonObject, T> reading) {
    return read(
        SUBSTITUTION,
        "say by block which experts went",
        json,
        found -> reading.apply(found.getAsJsonObject()));
  }

  private static <T> T read(
      String key, String what, String json, Function<JsonElement, T> reading) {
    try {
      return reading.apply(JsonParser.parseString(json));
    } catch (RuntimeException e) { // Gson throws many kinds for JSON of another shape
      throw new BadInputException(
          "metadata '%s' does not %s: %s".formatted(key, what, Reason.of(e)), e);
    }
  }

  private static Map<String, Gone> blocks(JsonObject json) {
    Map<String, Gone> blocks = new LinkedHashMap<>();
    json.getAsJsonObject(TARGETS)
        .entrySet()
        .forEach(block -> blocks.put(block.getKey(), gone(block.getValue().getAsJsonObject())));
    return blocks;
  }

  private static Gone gone(JsonObject block) {
    NavigableMap<Integer, String> replaced = new TreeMap<>();
    block
        .getAsJsonObject(REPLACEMENTS)
        .entrySet()
        .forEach(id -> replaced.put(Integer.valueOf(id.getKey()), novice(id.getValue())));
    NavigableSet<Integer> removed = new TreeSet<>();
    if (block.has(REMOVED)) {
      for (JsonElement id : block.getAsJsonArray(REMOVED)) {
        removed.add(id.getAsInt());
      }
    }
    NavigableMap<Integer, Integer> widths = new TreeMap<>();
    if (block.has(WIDTHS)) {
      block
          .getAsJsonObject(WIDTHS)
          .entrySet()
          .forEach(id -> widths.put(Integer.valueOf(id.getKey()), id.getValue().getAsInt()));
    }
    return new Gone(replaced, removed, widths);
  }

  /** The initializer of {@code initializer[row]}; empty where there is none. */
  private static String novice(JsonElement replacement) {
    JsonObject tensors = replacement.getAsJsonObject().getAsJsonObject("tensors");
    String value = tensors.has("value") ? tensors.get("value").getAsString() : "";
    return value.replaceFirst("\\[\\d+]$", "");
  }
}
