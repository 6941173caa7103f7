package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.SelectionMask;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The oracle's mask and the rewriter's say the same of every kind of router, each in its own way.
 */
final class RouterMaskTest {
  private static final TinyMoe PLAIN = Spelling.DYNAMO.of(6, 2, 4);

  static Stream<TinyMoe> routers() {
    String softmax = "scores = Softmax <axis = -1> (logits)";
    return Stream.of(
        PLAIN,
        PLAIN.inPairs(),
        PLAIN.with(softmax, "scores = Sigmoid (logits)"),
        PLAIN.with(softmax, "scores = Sigmoid (logits)").inPairs(),
        PLAIN.with(
            softmax,
            """
            wide = Cast <to = 11> (logits)
              shares = Softmax <axis = -1> (wide)
              scores = Cast <to = 1> (shares)
            """),
        Spelling.DYNAMO.of(6, 1, 4));
  }

  private static Model masked(TinyMoe tiny, Set<Integer> pruned) {
    Ops ops = new Ops(new GraphEdit(tiny.model()), "m");
    RouterMask.apply(ops, tiny.block().routing(), pruned);
    return ops.edit().apply();
  }

  private static Model maskedByTheRewriter(TinyMoe tiny, Set<Integer> pruned) {
    Routing routing = tiny.block().routing();
    Ops ops = new Ops(new GraphEdit(tiny.model()), "m");
    SelectionMask mask = SelectionMask.of(tiny.graph(), routing);
    mask.mask(ops, mask.gone(ops, pruned));
    return ops.edit().apply();
  }

  @ParameterizedTest
  @MethodSource("routers")
  void choosesAsTheRewriterDoes(TinyMoe tiny) {
    for (Set<Integer> pruned : List.of(Set.of(1), Set.of(0, 5), Set.of(0, 1, 3, 5))) {
      Map<String, Tensor> feeds = Map.of("x", tiny.tokens(50, 1));
      List<String> values = List.of("experts", "gates", "y");
      Map<String, Tensor> found = TinyMoe.run(masked(tiny, pruned), feeds, values);

      assertThat(found).isEqualTo(TinyMoe.run(maskedByTheRewriter(tiny, pruned), feeds, values));
      assertThat(Arrays.stream(found.get("experts").toLongs()).boxed().map(Long::intValue))
          .doesNotContainAnyElementsOf(pruned);
    }
  }

  @Test
  void masksWhateverComparesExpertsAndNothingElse() {
    assertThat(masked(PLAIN.inPairs(), Set.of(1)).graph().toString())
        .contains("m/Where = Where (m/Greater, m/never, logits)")
        .contains("scores = Softmax <axis = -1> (m/Where)")
        .contains("m/Where_1 = Where (m/Greater, m/never_1, m/Reshape)")
        .contains("pairTop, pairTopIds = TopK <axis = -1> (m/Reshape_1, pairBest)")
        .contains("pairRank, pairIds = TopK <axis = -1> (pairRanks, k)")
        .contains("limited = Where (isOutOfPairs, pairOut, scores)")
        .contains("m/Where_2 = Where (m/Greater, m/never_2, limited)")
        .contains("best, experts = TopK <axis = -1, largest = 1> (m/Where_2, k)");
  }
}
