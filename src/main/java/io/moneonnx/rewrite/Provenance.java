package io.moneonnx.rewrite;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Reason;
import io.moneonnx.json.Fields;
import io.moneonnx.json.JsonText;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a rewritten model says about itself in its metadata, so that other programs can read what
 * was done: how it was made under {@code mone-onnx.*}, and under {@code expert_substitution} which
 * experts were replaced by which tensors, in the shape that vLLM's and llm-compressor's pull
 * requests for MoNE propose. Experts that left the router too have no replacement there, but stand
 * under {@code removed}; the widths of those that were narrowed stand under {@code widths}.
 */
public final class Provenance {
  private static final String PREFIX = "mone-onnx.";
  private static final String SUBSTITUTION = "expert_substitution";

  private Provenance() {}

  /** The model with one more fact about how it was made. */
  public static Model with(Model model, String key, String value) {
    return model.withMetadata(PREFIX + key, value);
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
                "preserve_router_weights",
                targets.stream().noneMatch(target -> target.change() instanceof Removal))
            .with("renormalize_after_substitution", false);
    Fields blocks = new Fields();
    targets.forEach(target -> blocks.with(target.block(), json(target)));
    return model.withMetadata(
        SUBSTITUTION,
        JsonText.of(
            new Fields()
                .with("version", 1)
                .with("router_semantics", router)
                .with("targets", blocks)));
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
            .with("replacements", replacements)
            .withAny("widths", widths);
    return target.change() instanceof Removal removal
        ? block.with("removed", removal.experts())
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
   * @param replaced those that a novice stands in for
   * @param removed those that the router lost too
   */
  public record Gone(Set<Integer> replaced, Set<Integer> removed) {
    /** Every expert is there. */
    public static final Gone NONE = new Gone(Set.of(), Set.of());

    public Gone {
      replaced = Set.copyOf(replaced);
      removed = Set.copyOf(removed);
    }
  }

  /**
   * By block the experts that are gone; empty where the model does not say.
   *
   * @throws BadInputException if what it says cannot be read
   */
  public static Optional<Map<String, Gone>> gone(Model model) {
    return Optional.ofNullable(model.metadata().get(SUBSTITUTION)).map(Provenance::parse);
  }

  private static Map<String, Gone> parse(String json) {
    try {
      Map<String, Gone> blocks = new LinkedHashMap<>();
      JsonParser.parseString(json)
          .getAsJsonObject()
          .getAsJsonObject("targets")
          .entrySet()
          .forEach(block -> blocks.put(block.getKey(), gone(block.getValue().getAsJsonObject())));
      return blocks;
    } catch (RuntimeException e) { // Gson throws many kinds for JSON of another shape
      throw new BadInputException(
          "metadata '%s' does not say by block which experts went: %s"
              .formatted(SUBSTITUTION, Reason.of(e)),
          e);
    }
  }

  private static Gone gone(JsonObject block) {
    Set<Integer> replaced = new TreeSet<>();
    block.getAsJsonObject("replacements").keySet().forEach(id -> replaced.add(Integer.valueOf(id)));
    Set<Integer> removed = new TreeSet<>();
    if (block.has("removed")) {
      for (JsonElement id : block.getAsJsonArray("removed")) {
        removed.add(id.getAsInt());
      }
    }
    return new Gone(replaced, removed);
  }
}
