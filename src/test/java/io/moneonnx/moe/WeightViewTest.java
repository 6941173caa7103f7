package io.moneonnx.moe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.UnknownFields;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WeightViewTest {
  private static Graph graph(String nodes) {
    return GraphText.parse(
        """
        g (float[T, 3] x) => (float[...] w)
        <int64[3, 2, 2] stack = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, int64[6, 2] rows,
         int64[3, 1, 2] half, float[3] scales, float[3, 2, 1] blocks, float[1, 2, 2] coarse,
         int64[3] apart = {3, 2, 2}, int64[2] flat = {3, -1}, int64[1] one = {1}, int64[1] two = {2},
         int64[4] four = {3, 2, 1, 2}, int64[1] three = {3}, int64[1] six = {6},
         int64[1] nought = {0}, int64 i = {1}>
        {
        %s
        }
        """
            .formatted(nodes));
  }

  private static WeightView view(Graph graph) {
    return WeightView.of(graph, "w").orElseThrow();
  }

  private static Graph kept(Graph graph, int axis, Integer... indices) {
    GraphEdit edit =
        new GraphEdit(new Model(graph, 8, Map.of("", 21L), Map.of(), UnknownFields.NONE));
    edit.redirect("w", view(graph).keep(new Ops(edit, "cut"), axis, List.of(indices)));
    return edit.apply().graph();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "w = Cast <to = 1> (stack) | 3 2 2 | stack",
        "t = Transpose <perm = [0, 2, 1]> (stack) w = Identity (t) | 3 2 2 | stack",
        "w = Reshape (rows, apart) | 3 2 2 | rows",
        "w = Reshape (stack, flat) | 3 4 | stack",
        "w = Unsqueeze (stack, two) | 3 2 1 2 | stack",
        "w = Squeeze (half, one) | 3 2 | half",
        "w = Concat <axis = 1> (stack, half) | 3 3 2 | stack half",
        "w = Slice (stack, one, two, one) | 3 1 2 | stack",
        "w = Slice (rows, three, six, nought) | 3 2 | rows",
        "w = Gather <axis = 1> (stack, i) | 3 2 | stack",
        "w = DequantizeLinear <axis = 0> (stack, scales) | 3 2 2 | stack scales",
        "w = DequantizeLinear <axis = 2, block_size = 2> (stack, blocks) | 3 2 2 | stack blocks",
      })
  void isCutInTheConstantsItIsMadeOf(String nodes, String dims, String constants) {
    Graph graph = graph(nodes);

    assertThat(view(graph).dims())
        .containsExactly(Stream.of(dims.split(" ")).map(Long::valueOf).toArray(Long[]::new));
    assertThat(view(graph).objection(0, 3)).isEmpty();
    assertThat(view(graph).constants(0)).containsExactlyInAnyOrder(constants.split(" "));
    Graph after = kept(graph, 0, 0, 2);
    assertThat(after.initializers()).doesNotContainKeys(constants.split(" "));
    Node last = after.producer("w").orElseThrow();
    assertThat(WeightView.of(after, last.input(0)).orElseThrow().dims().get(0)).isEqualTo(2);
  }

  @Test
  void takesTheRowsOfAnExpertThatLieOneBehindTheOther() {
    Graph graph = graph("w = Reshape (rows, apart)");

    assertThat(kept(graph, 0, 2).constant("cut/kept").orElseThrow())
        .isEqualTo(graph.constant("rows").orElseThrow().rows(List.of(4, 5)));
  }

  @Test
  void takesTheRowsOfAPartOutOfTheWhole() {
    Graph graph = graph("w = Slice (rows, three, six, nought)");

    assertThat(kept(graph, 0, 0, 2).constant("cut/kept").orElseThrow())
        .isEqualTo(graph.constant("rows").orElseThrow().rows(List.of(3, 5)));
  }

  @Test
  void keepsWhatSeveralPartsAreCutOutOfOnce() {
    Graph graph =
        graph("a = Slice (stack, nought, one, one) b = Slice (stack, one, two, one) w = Neg (a)");
    GraphEdit edit =
        new GraphEdit(new Model(graph, 8, Map.of("", 21L), Map.of(), UnknownFields.NONE));
    Ops ops = new Ops(edit, "cut");
    String a = WeightView.of(graph, "a").orElseThrow().keep(ops, 0, List.of(0, 2));
    String b = WeightView.of(graph, "b").orElseThrow().keep(ops, 0, List.of(0, 2));
    edit.redirect("w", ops.add(a, b));

    assertThat(edit.apply().graph().initializers()).containsKey("cut/kept").hasSize(4);
  }

  @Test
  void isFoundAtOnceBehindManyConcatenations() {
    StringBuilder nodes = new StringBuilder("c0 = Concat <axis = 1> (stack, stack)\n");
    for (int i = 1; i < 60; i++) {
      nodes.append("c%d = Concat <axis = 1> (c%d, stack)\n".formatted(i, i - 1));
    }

    assertThat(view(graph(nodes + "w = Identity (c59)")).dims()).containsExactly(3L, 122L, 2L);
  }

  @Test
  void keepsScalesThatAllExpertsShare() {
    Graph graph = graph("w = DequantizeLinear <axis = 1> (half, scales)");

    assertThat(view(graph).constants(0)).containsExactly("half");
    assertThat(kept(graph, 0, 1).initializers()).containsKey("scales");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "w = Concat <axis = 0> (stack, stack) | 6 | the weight 'w' is made by Concat 'Concat -> w'",
        "w = DequantizeLinear <axis = 0, block_size = 3> (stack, coarse) | 3 | 'coarse' is [1, 2, 2]; expected 3 along axis 0",
        "w = Cast <to = 1> (stack) | 4 | 'w' is [3, 2, 2]; expected 4 along axis 0",
      })
  void saysWhyItIsNotCut(String nodes, long size, String objection) {
    assertThat(view(graph(nodes)).objection(0, size)).contains(objection);
  }

  @ParameterizedTest
  @ValueSource(strings = {"w = Neg (stack)", "w = Reshape (x, apart)", "w = Gather (stack, four)"})
  void isNothingThatIsComputed(String nodes) {
    assertThat(WeightView.of(graph(nodes), "w")).isEmpty();
  }
}
