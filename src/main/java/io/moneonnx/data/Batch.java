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
 * @param samples what messages call each sample: {@code sequence 3 of book.txt}
 */
public record Batch(Map<String, Tensor> feeds, Optional<String> tag, List<String> samples) {
  public Batch {
    samples = List.copyOf(samples);
  }
}
