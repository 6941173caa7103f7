package io.moneonnx.moe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Routers of four experts, two of which are chosen, in several spellings of their weight. */
final class RouterCutTest {
  private static final Set<Integer> GONE = Set.of(1);

  private static Graph router(String logits) {
    return GraphText.parse(
        """
        g (float[T, 16] x) => (float[...] best, int64[...] ids)
        <float[4, 16] router, float[16, 4] turned, float[4] bias, float[1, 4] row, float[1] one, float[4] scale,
         float[2, 16] blocks, int64[1] front = {0}, int64[1] k = {2}, int64[1] packed = {0},
         int64[1] zeros = {0}, int64 first = {0}, int64[2] flat = {-1, 4}>
        {
        %s
          scores = Softmax <axis = -1> (logits)
          best, ids = TopK <axis = -1> (scores, k)
        }
        """
            .formatted(logits));
  }

  private static Model model(Graph graph) {
    Map<String, Long> opsets = Map.of("", 21L, "com.microsoft", 1L);
    return new Model(graph, 10, opsets, Map.of(), UnknownFields.NONE);
  }

  private static Routing routing(String router) {
    return new Routing(new Choice.Indices("ids", "scores"), 2, 4, 16, "x", router, "unknown");
  }

  private static Model changed(Model model, Consumer<Ops> change) {
    Ops ops = new Ops(new GraphEdit(model), "m");
    change.accept(ops);
    return ops.edit().apply();
  }

  private static Map<String, Tensor> run(Model model) {
    Random random = new Random(1);
    float[] x = new float[20 * 16];
    for (int i = 0; i < x.length; i++) {
      x[i] = 0.3f * (float) random.nextGaussian();
    }
    Tensor tokens = Tensor.of(List.of(20L, 16L), x);
    return TinyMoe.run(model, Map.of("x", tokens), List.of("best", "ids"));
  }

  /** Cuts expert 1 out; what is left chooses as the original does where 1 is masked. */
  private static Graph cut(Model model, String router) {
    SelectionMask mask = SelectionMask.of(model.graph(), routing(router));
    RouterCut cut = RouterCut.of(model.graph(), routing(router));
    assertThat(cut.objection(GONE)).isEmpty();
    Model masked = changed(model, ops -> mask.mask(ops, mask.gone(ops, GONE)));
    Model after = changed(model, ops -> cut.apply(ops, GONE));

    Map<String, Tensor> expected = run(masked);
    Map<String, Tensor> found = run(after);
    assertThat(found.get("ids").toLongs()).isEqualTo(expected.get("ids").toLongs());
    assertThat(found.get("ids").toLongs()).doesNotContain(1L).contains(2, 3);
    float[] best = expected.get("best").toFloats();
    assertThat(found.get("best").toFloats())
        .usingComparatorWithPrecision(1e-6f)
        .containsExactly(best);
    assertThat(after.graph().initializers()).doesNotContainKey(router);
    return after.graph();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "logits = Gemm <transB = 1> (x, router, bias)",
        "logits = Gemm <transB = 1> (x, router, row)",
        "w = Transpose <perm = [1, 0]> (router)\nlogits = MatMul (x, w)",
        "bank = Unsqueeze (router, front)\nw = Gather <axis = 0> (bank, first)\n"
            + "logits = Gemm <transB = 1> (x, w)",
        "w = Transpose (router)\np = MatMul (x, w)\nlogits = Add (bias, p)",
        "h = Cast <to = 11> (router)\nw = Cast <to = 1> (h)\nlogits = Gemm <transB = 1> (x, w)",
        "p = Gemm <transB = 1> (x, router)\nr = Reshape (p, flat)\nlogits = Add (r, row)",
        "h = Cast <to = 10> (bias)\nb = Cast <to = 1> (h)\n"
            + "logits = Gemm <transB = 1> (x, router, b)",
        "b = Identity (bias)\nlogits = Gemm <transB = 1> (x, router, b)",
        "logits = Gemm <transB = 1> (x, router, one)",
        "h = Cast <to = 10> (one)\nb = Cast <to = 1> (h)\n"
            + "logits = Gemm <transB = 1> (x, router, b)",
        "h = Cast <to = 10> (bias)\nb = Cast <to = 1> (h)\n"
            + "p = Gemm <transB = 1> (x, router)\nlogits = Add (p, b)"
      })
  void isCutOutOfEverySpelling(String logits) {
    cut(model(router(logits)), "router");
  }

  @Test
  void isCutOutOfColumns() {
    Graph after = cut(model(router("logits = MatMul (x, turned)")), "turned");

    assertThat(after.constant("m/kept").orElseThrow().dims()).containsExactly(16L, 3L);
  }

  private static Model quantised(String logits, Tensor packed, Tensor zeros) {
    Model model = TinyMoe.withInitializer(model(router(logits)), "packed", packed);
    return TinyMoe.withInitializer(model, "zeros", zeros);
  }

  private static Tensor bytes(ElementType type, Long... dims) {
    List<Long> shape = List.of(dims);
    byte[] bytes = new byte[Math.toIntExact(type.bytes(Tensor.elements(shape)))];
    new Random(2).nextBytes(bytes);
    return new Tensor.Inline(type, shape, ByteBuffer.wrap(bytes));
  }

  @Test
  void isCutWithItsScalesAndZeroPoints() {
    Model model =
        quantised(
            """
            w = DequantizeLinear <axis = 0> (packed, scale, zeros)
            logits = Gemm <transB = 1> (x, w)
            """,
            bytes(ElementType.INT8, 4L, 16L),
            bytes(ElementType.INT8, 4L));

    assertThat(cut(model, "packed").initializers()).doesNotContainKeys("scale", "zeros");
  }

  @Test
  void isCutAsPackedRows() {
    Model model =
        quantised(
            "logits = com.microsoft.MatMulNBits <K = 16, N = 4, bits = 4, block_size = 16>"
                + " (x, packed, scale, zeros)",
            bytes(ElementType.UINT8, 4L, 1L, 8L),
            bytes(ElementType.UINT8, 4L));

    assertThat(cut(model, "packed").initializers()).doesNotContainKeys("scale", "zeros");
  }

  private static void isRefused(Model model, String router, String why) {
    assertThat(RouterCut.of(model.graph(), routing(router)).objection(GONE))
        .hasValueSatisfying(reason -> assertThat(reason).contains(why));
  }

  @Test
  void isNotCutInsideOfBytes() {
    isRefused(
        quantised(
            "w = DequantizeLinear <axis = 1> (packed, scale)\nlogits = MatMul (x, w)",
            bytes(ElementType.INT4, 16L, 4L),
            bytes(ElementType.INT8, 4L)),
        "packed",
        "the indices of axis 1 of 'packed' do not begin at whole bytes");
  }

  @Test
  void isNotCutInBlocksOfSeveralExperts() {
    isRefused(
        quantised(
            """
            w = DequantizeLinear <axis = 0, block_size = 2> (packed, blocks)
            logits = Gemm <transB = 1> (x, w)
            """,
            bytes(ElementType.INT8, 4L, 16L),
            bytes(ElementType.INT8, 4L)),
        "packed",
        "'blocks' is [2, 16]; expected 4 along axis 0");
  }

  @Test
  void keepsAsManyAsAreChosen() {
    Graph graph = router("logits = MatMul (x, turned)");
    RouterCut cut = RouterCut.of(graph, routing("turned"));

    assertThat(cut.objection(Set.of(1, 2))).isEmpty();
    assertThat(cut.objection(Set.of(0, 1, 2)))
        .contains("1 of 4 experts would be left to a router that is cut and chooses 2");
  }
}
