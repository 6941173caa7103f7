package io.moneonnx.eval;

import io.moneonnx.data.ShownTokens;
import io.moneonnx.graph.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Which of the tokens that were foreseen count. */
record Counted(ShownTokens shown) {
  /**
   * For each sequence in which any token counts the mean.
   *
   * @param foreseen {@code [batch, seq - 1]}
   */
  List<Double> means(Tensor foreseen) {
    float[] values = foreseen.toFloats();
    int length = foreseen.dims().get(1).intValue();
    List<Double> means = new ArrayList<>();
    for (int row = 0; row < foreseen.dims().get(0); row++) {
      double sum = 0;
      int count = 0;
      for (int token = 1; token <= length; token++) {
        if (shown.isForeseen(row, token)) {
          sum += values[row * length + token - 1];
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
