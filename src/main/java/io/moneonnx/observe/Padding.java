package io.moneonnx.observe;

import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Map;

/** Which tokens of a run count: those that the attention mask does not hide. */
final class Padding {
  private static final String MASK = "attention_mask";
  private static final String TOKENS = "input_ids";

  private Padding() {}

  /** Ones and zeros {@code [tokens]}, or a single one where every token counts. */
  static Tensor valid(Map<String, Tensor> feeds) {
    Tensor mask = feeds.get(MASK);
    if (mask == null || mask.rank() != 2 || mask.type().isFloating()) {
      return Tensor.of(List.of(1L), 1f);
    }
    long[] seen = mask.toLongs();
    int width = mask.dims().get(1).intValue();
    int sequence = sequence(feeds, width);
    int batch = mask.dims().get(0).intValue();
    float[] valid = new float[batch * sequence];
    boolean anyHidden = false;
    for (int token = 0; token < valid.length; token++) {
      int column = width - sequence + token % sequence; // what lies before is the past
      boolean hidden = seen[token / sequence * width + column] == 0;
      valid[token] = hidden ? 0 : 1;
      anyHidden |= hidden;
    }
    return anyHidden ? Tensor.of(List.of((long) valid.length), valid) : Tensor.of(List.of(1L), 1f);
  }

  private static int sequence(Map<String, Tensor> feeds, int width) {
    Tensor tokens = feeds.get(TOKENS);
    return tokens != null && tokens.rank() == 2 ? tokens.dims().get(1).intValue() : width;
  }
}
