package io.moneonnx.data;

import io.moneonnx.graph.Tensor;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The beginning of feeds that are long: enough to try a model on, and small enough to compare. */
final class Excerpt {
  private static final String TOKENS = "input_ids";

  private Excerpt() {}

  /**
   * The feeds with every matrix that is as wide as {@code input_ids} cut to {@code width} columns;
   * feeds of models that take no tokens are left as they are.
   */
  static Map<String, Tensor> of(Map<String, Tensor> feeds, int width) {
    Tensor tokens = feeds.get(TOKENS);
    if (tokens == null || tokens.rank() != 2 || tokens.dims().get(1) <= width) {
      return feeds;
    }
    Map<String, Tensor> cut = new LinkedHashMap<>(feeds);
    cut.replaceAll(
        (name, tensor) ->
            tensor.rank() == 2 && tensor.dims().get(1).equals(tokens.dims().get(1))
                ? columns(tensor, width)
                : tensor);
    return cut;
  }

  private static Tensor columns(Tensor matrix, int width) {
    int rows = Math.toIntExact(matrix.dims().get(0));
    int rowBytes = Math.toIntExact(matrix.type().bytes(matrix.dims().get(1)));
    int cutBytes = Math.toIntExact(matrix.type().bytes(width));
    ByteBuffer all = matrix.bytes();
    ByteBuffer cut = ByteBuffer.allocate(rows * cutBytes);
    for (int row = 0; row < rows; row++) {
      cut.put(all.slice(row * rowBytes, cutBytes));
    }
    return new Tensor.Inline(matrix.type(), List.of((long) rows, (long) width), cut.flip());
  }
}
