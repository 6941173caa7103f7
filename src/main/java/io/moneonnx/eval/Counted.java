package io.moneonnx.eval;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which of the tokens that were foreseen count: those that the attention mask shows, with the token
 * before them.
 */
final class Counted {
  private static final String MASK = "attention_mask";

  /** By sequence and token, {@code batch x seq}. */
  private final boolean[][] shown;

  private Counted(boolean[][] shown) {
    this.shown = shown;
  }

  /**
   * Those of one batch.
   *
   * @param foreseen {@code [batch, seq - 1]}
   */
  static Counted of(Map<String, Tensor> feeds, Tensor foreseen) {
    int batch = foreseen.dims().get(0).intValue();
    int sequence = foreseen.dims().get(1).intValue() + 1;
    Optional<Tensor> mask =
        Optional.ofNullable(feeds.get(MASK))
            .filter(given -> given.rank() == 2 && !given.type().isFloating());
    int width = mask.map(given -> given.dims().get(1).intValue()).orElse(sequence);
    if (width < sequence) {
      throw new BadInputException(
          "'%s' hides or shows %d tokens of sequences of %d".formatted(MASK, width, sequence));
    }
    boolean[][] shown = new boolean[batch][sequence];
    long[] seen = mask.map(Tensor::toLongs).orElse(null);
    for (int row = 0; row < batch; row++) {
      for (int token = 0; token < sequence; token++) {
        int column = width - sequence + token; // what lies before is the past
        shown[row][token] = seen == null || seen[row * width + column] != 0;
      }
    }
    return new Counted(shown);
  }

  /** For each sequence in which any token counts the mean of these {@code [batch, seq - 1]}. */
  List<Double> means(Tensor foreseen) {
    float[] values = foreseen.toFloats();
    List<Double> means = new ArrayList<>();
    for (int row = 0; row < shown.length; row++) {
      int tokens = shown[row].length;
      double sum = 0;
      int count = 0;
      for (int token = 1; token < tokens; token++) {
        if (shown[row][token - 1] && shown[row][token]) {
          sum += values[row * (tokens - 1) + token - 1];
          count++;
        }
      }
      if (count > 0) {
        means.add(sum / count);
      }
    }
    return means;
  }
}
