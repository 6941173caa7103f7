package io.moneonnx.eval;

import io.moneonnx.data.UnmaskedTokens;
import io.moneonnx.graph.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Which of the tokens that were foreseen count. */
record Counted(UnmaskedTokens shown) {
  /**
   * For each sequence in which any token counts the mean.
   *
   * @param foreseen {@code [batch, seq - 1]}
   */
  List<Double> means(Tensor foreseen) {
    float[] values = foreseen.toFloats();
    return places(foreseen.dims())
        .map(places -> Arrays.stream(places).mapToDouble(at -> values[at]).average().orElseThrow())
        .toList();
  }

  /**
   * For each sequence in which any token counts how many do.
   *
   * @param dims {@code [batch, seq - 1]}
   */
  List<Integer> counts(List<Long> dims) {
    return places(dims).map(places -> places.length).toList();
  }

  private Stream<int[]> places(List<Long> dims) {
    return IntStream.range(0, dims.get(0).intValue())
        .mapToObj(row -> places(row, dims.get(1).intValue()))
        .filter(places -> places.length > 0);
  }

  private int[] places(int row, int length) {
    return IntStream.range(0, length)
        .filter(at -> shown.isForeseen(row, at + 1))
        .map(at -> row * length + at)
        .toArray();
  }
}
