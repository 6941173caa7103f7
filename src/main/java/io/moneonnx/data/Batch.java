package io.moneonnx.data;

import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What one run of the model is fed.
 *
 * @param feeds every input that the model wants, by name
 * @param tag what the user calls the data, if anything; all samples have the same
 * @param samples what messages call each sample: {@code sequence 3 of book.txt}; none if they have
 *     no names
 */
public record Batch(Map<String, Tensor> feeds, Optional<String> tag, List<String> samples) {
  public Batch {
    samples = List.copyOf(samples);
  }

  /** Without any names. */
  public static Batch of(Map<String, Tensor> feeds) {
    return new Batch(feeds, Optional.empty(), List.of());
  }

  /** The longest sequence, in tokens; 0 if the model is fed none. */
  public int sequenceLength() {
    Tensor tokens = feeds.get("input_ids");
    return tokens != null && tokens.rank() == 2 ? tokens.dims().get(1).intValue() : 0;
  }

  /**
   * Where a token stands, for messages.
   *
   * @param token its number among those of all samples, one sample after the other
   * @param tokens how many there are
   */
  public String place(long token, long tokens) {
    if (samples.isEmpty() || tokens % samples.size() != 0) {
      return "position %d".formatted(token);
    }
    long each = tokens / samples.size();
    return "position %d of %s".formatted(token % each, samples.get((int) (token / each)));
  }
}
