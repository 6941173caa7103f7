package io.moneonnx.verify.golden;

import io.moneonnx.data.Batch;
import io.moneonnx.data.UnmaskedTokens;
import io.moneonnx.graph.Tensor;
import java.util.Optional;

/**
 * The sequences and positions of one run.
 *
 * @param sequences how many
 * @param length positions of each
 */
record TokenGrid(int sequences, int length, UnmaskedTokens shown) {
  /**
   * The first two axes of the input that takes tokens: ids {@code [sequences, positions]} or
   * vectors {@code [sequences, positions, hidden]}; vectors {@code [positions, hidden]} are one
   * sequence. Empty if there is no such input.
   */
  static Optional<TokenGrid> of(Batch fed, Optional<String> tokens) {
    return tokens.map(fed.feeds()::get).flatMap(input -> of(fed, tokens.get(), input));
  }

  private static Optional<TokenGrid> of(Batch fed, String name, Tensor input) {
    if (input.rank() == 3 || (input.rank() == 2 && !input.type().isFloating())) {
      return Optional.of(
          new TokenGrid(size(input, 0), size(input, 1), UnmaskedTokens.of(fed.feeds(), name)));
    }
    return input.rank() == 2
        ? Optional.of(new TokenGrid(1, size(input, 0), UnmaskedTokens.of(fed.feeds(), name, "")))
        : Optional.empty();
  }

  private static int size(Tensor tensor, int axis) {
    return tensor.dims().get(axis).intValue();
  }

  int tokens() {
    return sequences * length;
  }

  /** True for a position that counts, numbered over all sequences. */
  boolean isShown(int token) {
    return shown.isShown(token / length, token % length);
  }
}
