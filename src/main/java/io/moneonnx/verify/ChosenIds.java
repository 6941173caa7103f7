package io.moneonnx.verify;

import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Choice;
import io.moneonnx.moe.Routing;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.IntStream;

/** Which experts tokens went to in a run. */
public final class ChosenIds {
  private ChosenIds() {}

  /**
   * Ids, {@code topK} for each token, in the order of their coefficients. Where a graph does not
   * tell them they are the best by score, the lower id first among scores that are alike.
   *
   * @param values what the run put out: the choices, or the scores if those are hidden
   */
  public static long[] of(Routing routing, Map<String, Tensor> values) {
    Choice choice = routing.choice();
    return choice instanceof Choice.Hidden
        ? best(values.get(choice.scores()).toFloats(), routing.experts(), routing.topK())
        : values.get(choice.value()).toLongs();
  }

  private static long[] best(float[] scores, int experts, int topK) {
    return IntStream.range(0, scores.length / experts)
        .mapToObj(token -> token * experts)
        .flatMap(
            start ->
                IntStream.range(0, experts)
                    .boxed()
                    .sorted(Comparator.comparingDouble(expert -> -scores[start + expert]))
                    .limit(topK))
        .mapToLong(Integer::longValue)
        .toArray();
  }
}
