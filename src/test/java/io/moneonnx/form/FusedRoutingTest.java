package io.moneonnx.form;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.TinyMoe;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.Choice;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.TieRule;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Routing weights of made-up scores against their definitions, in double precision. */
final class FusedRoutingTest {
  private static final double[] SCORES = {0.3, -1.2, 2.0, 1.99, 0.5, -3.0, 1.97, 0.0};
  private static final double[] WEIGHTS = {0.1, 0.9, 0.2, 0.0, 0.7, 0.4, 0.6, 0.3};

  private static float[] routingWeights(FusedRouting inside, int topK) {
    Graph graph =
        GraphText.parse(
            "g (float[T, 8] scores, float[T, 8] weights) => (float[T, 8] y)"
                + " { y = Add (scores, weights) }");
    Routing routing =
        new Routing(
            new Choice.Hidden("scores", TieRule.LOWER_ID), topK, 8, 4, "x", "router", "unknown");
    GraphEdit edit =
        new GraphEdit(new Model(graph, 8, Map.of("", 17L), Map.of(), UnknownFields.NONE));
    Ops ops = new Ops(edit, "added");
    String found = inside.perChoice(ops, routing, routing.indices(ops));
    edit.addOutput(Value.undeclared(found));
    return TinyMoe.run(
            edit.apply(), Map.of("scores", row(SCORES), "weights", row(WEIGHTS)), List.of(found))
        .get(found)
        .toFloats();
  }

  private static Tensor row(double[] values) {
    float[] row = new float[values.length];
    IntStream.range(0, row.length).forEach(i -> row[i] = (float) values[i]);
    return Tensor.of(List.of(1L, (long) row.length), row);
  }

  private static double exps(int... experts) {
    return Arrays.stream(experts).mapToDouble(e -> Math.exp(SCORES[e])).sum();
  }

  private static void assertClose(float[] found, double... wanted) {
    assertThat(found).hasSize(wanted.length);
    for (int i = 0; i < wanted.length; i++) {
      assertThat((double) found[i]).isCloseTo(wanted[i], within(1e-6));
    }
  }

  @Test
  void areSharesInTheSoftmaxOfAll() {
    double all = exps(0, 1, 2, 3, 4, 5, 6, 7);

    assertClose(
        routingWeights(new FusedRouting.OverAll(), 3), exps(2) / all, exps(3) / all, exps(6) / all);
  }

  @Test
  void areSharesInTheSoftmaxOfTheChosen() {
    double chosen = exps(2, 3, 6);

    assertClose(
        routingWeights(new FusedRouting.OverChosen("any"), 3),
        exps(2) / chosen,
        exps(3) / chosen,
        exps(6) / chosen);
  }

  @Test
  void areWhatIsGivenBesideTheScores() {
    assertClose(routingWeights(new FusedRouting.Weights("weights", false), 3), 0.2, 0, 0.6);
    assertClose(routingWeights(new FusedRouting.Weights("weights", true), 3), 0.25, 0, 0.75);
    assertClose(routingWeights(new FusedRouting.Weights("weights", true), 1), 1);
  }

  /** Near to 2.0 are 1.99 and 1.97, which are within 0.04; near to 1.99 is 1.97 alone. */
  @Test
  void areSharesAmongTheScoresNearToEach() {
    assertClose(
        routingWeights(new FusedRouting.SparseMixer(), 2),
        exps(2) / exps(2, 3, 6),
        exps(3) / exps(3, 6));
  }
}
