package io.moneonnx.verify;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Where a language model scores next tokens.
 *
 * @param output {@code [batch, sequence, vocabulary]}; the last positions alone will do
 * @param tokens the input {@code [batch, sequence]} of the tokens that are foreseen; empty where
 *     the logits are not about an input
 * @param vocabulary their last dimension, where it is known
 */
public record Logits(
    String output, ElementType type, Optional<String> tokens, OptionalLong vocabulary) {
  /**
   * Checks before a run that what it makes can be held.
   *
   * @throws BadInputException if the logits would pass 2 GiB; says which length would not
   */
  void requireRoom(Map<String, Tensor> feeds) {
    if (tokens.isEmpty() || vocabulary.isEmpty()) {
      return;
    }
    List<Long> dims = feeds.get(tokens.get()).dims();
    long perToken = type.bytes(vocabulary.getAsLong());
    long batch = dims.get(0);
    long bytes = Math.multiplyExact(perToken, batch * dims.get(1));
    if (bytes > Integer.MAX_VALUE) {
      throw new BadInputException(
          "'%s' of %d x %d tokens take %.1f GiB, more than the 2 GiB that a run can give: %s"
              .formatted(
                  output,
                  batch,
                  dims.get(1),
                  bytes / 0x1p30,
                  advice(Integer.MAX_VALUE / perToken, batch)));
    }
  }

  private static String advice(long tokens, long batch) {
    return tokens >= batch
        ? "--seq-len %d does".formatted(tokens / batch)
        : "feed fewer sequences at a time (--batch)";
  }
}
