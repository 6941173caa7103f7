package io.moneonnx.observe;

import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What one run of the model is fed.
 *
 * @param tensors by name
 * @param tag what the user calls the data, if anything
 * @param samples what messages call each sample; none if they have no names
 */
public record Feed(Map<String, Tensor> tensors, Optional<String> tag, List<String> samples) {
  public Feed {
    samples = List.copyOf(samples);
  }

  /** Without any names. */
  public static Feed of(Map<String, Tensor> tensors) {
    return new Feed(tensors, Optional.empty(), List.of());
  }

  /** The longest sequence, in tokens; 0 if the model is fed none. */
  int sequenceLength() {
    Tensor tokens = tensors.get("input_ids");
    return tokens != null && tokens.rank() == 2 ? tokens.dims().get(1).intValue() : 0;
  }

  /**
   * Where a token stands, for messages.
   *
   * @param token its number among those of all samples, one sample after the other
   * @param tokens how many there are
   */
  String place(long token, long tokens) {
    if (samples.isEmpty() || tokens % samples.size() != 0) {
      return "position %d".formatted(token);
    }
    long each = tokens / samples.size();
    return "position %d of %s".formatted(token % each, samples.get((int) (token / each)));
  }
}
