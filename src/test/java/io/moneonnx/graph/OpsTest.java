package io.moneonnx.graph;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class OpsTest {
  private static final Tensor X = Tensor.of(List.of(2L, 3L), 1f, 5, 2, 4, 3, 6);

  private static GraphEdit edit(long opset) {
    Graph graph = GraphText.parse("g (float[2, 3] x) => (float[2, 3] x) {}");
    return new GraphEdit(new Model(graph, 7, Map.of("", opset), Map.of(), UnknownFields.NONE));
  }

  private static Node made(GraphEdit edit, String value) {
    edit.addOutput(Value.untyped(value, ElementType.FLOAT));
    return edit.apply().graph().producer(value).orElseThrow();
  }

  private static float[] run(GraphEdit edit, String value) {
    edit.addOutput(Value.untyped(value, ElementType.FLOAT));
    return TinyMoe.run(edit.apply(), Map.of("x", X), List.of(value)).get(value).toFloats();
  }

  @Test
  void writesAxesOfReduceMaxAsAnAttributeBeforeOpset18() {
    GraphEdit edit = edit(17);
    Node max = made(edit, new Ops(edit, "m").reduceMax("x", false, 1L));

    assertThat(max.inputs()).containsExactly("x");
    assertThat(max.attributes())
        .isEqualTo(Map.of("keepdims", Attribute.of(0), "axes", Attribute.ints(1L)));
  }

  @Test
  void writesAxesOfReduceMaxAsAnInputFromOpset18On() {
    GraphEdit edit = edit(18);
    Node max = made(edit, new Ops(edit, "m").reduceMax("x", true, 1L));

    assertThat(max.inputs()).containsExactly("x", "m/ints");
    assertThat(max.attributes()).isEqualTo(Map.of("keepdims", Attribute.of(1)));
  }

  @ParameterizedTest
  @ValueSource(longs = {13, 18, 21})
  void reducesInEveryOpset(long opset) {
    GraphEdit edit = edit(opset);
    Ops ops = new Ops(edit, "m");
    String parts =
        ops.concat(
            0,
            List.of(
                ops.reduceMax("x", false, 1L),
                ops.reshape(ops.reduceMax("x", false), 1),
                ops.reduceSum("x", false, 0),
                ops.reshape(ops.reduceSum("x", false), -1),
                ops.reshape(ops.reduceMin("x", false), -1)));

    assertThat(run(edit, parts)).containsExactly(5, 6, 6, 5, 8, 8, 21, 1);
  }

  @Test
  void namesEveryHit() {
    GraphEdit edit = edit(18);
    Ops ops = new Ops(edit, "m");
    String hits = ops.nonZero(ops.vector(0, 1, 0, 1, 1));

    assertThat(run(edit, ops.cast(hits, ElementType.FLOAT))).containsExactly(1, 3, 4);
  }

  @Test
  void overwritesRowsAmongOthers() {
    GraphEdit edit = edit(18);
    Ops ops = new Ops(edit, "m");
    String scattered = ops.scatterRows(ops.zeros(ops.vector(3, 3)), ops.vector(2, 0), "x");

    assertThat(run(edit, scattered)).containsExactly(4, 3, 6, 0, 0, 0, 1, 5, 2);
  }

  @Test
  void makesAgainOutsideABranchWhatWasMadeInIt() {
    GraphEdit edit = edit(18);
    Ops ops = new Ops(edit, "m");
    String yes = ops.greater(ops.scalar(1f), ops.scalar(0f));
    String inside =
        ops.when(yes, () -> ops.neg(ops.topK("x", 2).values()), () -> ops.topK("x", 2).values());
    String all = ops.concat(1, List.of(inside, ops.topK("x", 2).values(), ops.neg("x")));

    assertThat(run(edit, all)).containsExactly(-5, -2, 5, 2, -1, -5, -2, -6, -4, 6, 4, -4, -3, -6);
  }

  @Test
  void sharesConstants() {
    GraphEdit edit = edit(18);
    Ops ops = new Ops(edit, "m");

    assertThat(ops.vector(1, 2)).isEqualTo(ops.vector(1, 2)).isNotEqualTo(ops.vector(2, 1));
    assertThat(ops.scalar(1f)).isEqualTo(ops.scalar(1f)).isNotEqualTo(ops.scalar(0f));
  }

  @Test
  void concatenatesOnePartToItself() {
    assertThat(new Ops(edit(18), "m").concat(0, List.of("x"))).isEqualTo("x");
  }
}
