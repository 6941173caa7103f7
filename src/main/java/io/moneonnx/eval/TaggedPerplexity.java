package io.moneonnx.eval;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How well a model foresees held-out data: {@code exp} of the mean loss over tokens.
 *
 * @param total over all tokens
 * @param tags by tag over its tokens; none where the data have none
 */
public record TaggedPerplexity(double total, Map<String, Double> tags) {
  public TaggedPerplexity {
    tags = Collections.unmodifiableMap(new LinkedHashMap<>(tags));
  }

  /**
   * Of losses by tag.
   *
   * @param losses at least one; those of data without a tag count in total only
   */
  public static TaggedPerplexity of(Map<Optional<String>, Losses> losses) {
    Map<String, Double> tags = new LinkedHashMap<>();
    losses.forEach((tag, of) -> tag.ifPresent(name -> tags.put(name, of.perplexity())));
    return new TaggedPerplexity(Losses.all(losses.values()).perplexity(), tags);
  }

  /**
   * By which part perplexities are larger than another model's on the same data: 0.02 is two
   * percent more.
   */
  public record Increase(double total, Map<String, Double> tags) {
    public Increase {
      tags = Collections.unmodifiableMap(new LinkedHashMap<>(tags));
    }

    /** True where neither the total nor any tag is above it; what is no number is not. */
    public boolean isWithin(double limit) {
      return total <= limit && tags.values().stream().allMatch(increase -> increase <= limit);
    }
  }

  public Increase increaseOver(TaggedPerplexity other) {
    Map<String, Double> increases = new LinkedHashMap<>();
    tags.forEach((tag, perplexity) -> increases.put(tag, perplexity / other.tags.get(tag) - 1));
    return new Increase(total / other.total - 1, increases);
  }
}
