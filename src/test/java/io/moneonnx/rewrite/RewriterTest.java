package io.moneonnx.rewrite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.SwitchMoe;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Target;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class RewriterTest {
  /** Every expert {@code e} of these is replaced by {@code e + 1, e + 1.5, e + 2, ...}. */
  private static Replacement replacement(int hidden, int... experts) {
    TreeMap<Integer, float[]> novices = new TreeMap<>();
    for (int expert : experts) {
      float[] novice = new float[hidden];
      for (int i = 0; i < hidden; i++) {
        novice[i] = expert + 1 + 0.5f * i;
      }
      novices.put(expert, novice);
    }
    return Replacement.byNovices(novices);
  }

  private static Model rewritten(TinyMoe tiny, int... experts) {
    return Rewriter.rewrite(
        Canonical.of(tiny.model()),
        List.of(tiny.block()),
        Map.of("experts", replacement(tiny.hidden(), experts)));
  }

  /** The lines of one graph's text that another has not. */
  private static String lines(Graph of, Graph notOf) {
    List<String> others = lines(notOf);
    return lines(of).stream()
        .filter(line -> !others.contains(line))
        .collect(Collectors.joining("\n", "", "\n"));
  }

  private static List<String> lines(Graph graph) {
    return graph.toString().lines().map(line -> line.strip().replaceAll("^<|,$|>$", "")).toList();
  }

  private static float[] run(Model model, TinyMoe tiny, String value) {
    return TinyMoe.run(model, Map.of("x", tiny.tokens(25, 1)), List.of(value))
        .get(value)
        .toFloats();
  }

  @Test
  void leadsTheChainPastWhatTorchScriptAdded() {
    TinyMoe tiny = Spelling.TORCHSCRIPT.of(3, 2, 4);
    Graph before = tiny.graph();
    Graph after = rewritten(tiny, 1).graph();

    assertThat(lines(before, after))
        .isEqualTo(
            """
            int64[1] zero = {0}
            int64[1] two = {2}
            int64 id1 = {1}
            float[4, 5] up1
            float[5, 4] down1
            row1 = Gather <axis = 0> (mask, id1)
            bits1 = Cast <to = 9> (row1)
            hits1 = NonZero (bits1)
            pairs1 = Transpose <perm = [1, 0]> (hits1)
            slots1, tokens1 = Split <axis = 1> (pairs1, halves)
            slot1 = Squeeze (slots1, one)
            token1 = Squeeze (tokens1, one)
            rows1 = Gather <axis = 0> (x, token1)
            in1 = MatMul (rows1, up1)
            act1 = Tanh (in1)
            raw1 = MatMul (act1, down1)
            base1 = Mul (token1, slotsOfToken)
            place1 = Add (base1, slot1)
            gate1 = Gather <axis = 0> (list, place1)
            column1 = Unsqueeze (gate1, one)
            scaled1 = Mul (raw1, column1)
            at1 = Unsqueeze (token1, one)
            size1 = Shape (scaled1)
            wide1 = Expand (at1, size1)
            spread1 = ScatterElements <axis = 0> (zeros, wide1, scaled1)
            routed2 = Add (routed1, spread1)
            routed = Add (routed2, spread2)
            y = Add (x, routed)
            """);
    assertThat(lines(after, before))
        .isEqualTo(
            """
            float[2, 4] mone.0/novices = {2.0, 2.5, 3.0, 3.5, 0.0, 0.0, 0.0, 0.0}
            int64[2] mone.0/ints = {-1, 2}
            int64[1] mone.0/ints_1 = {0}
            int64[1] mone.0/ints_2 = {2}
            mone.0/ints_3 = Constant <value = int64[3] {1, 0, 1}> ()
            routed = Add (routed1, spread2)
            mone.0/Reshape_1 = Reshape (gates, mone.0/ints)
            mone.0/Reshape = Reshape (experts, mone.0/ints)
            mone.0/Gather_1 = Gather <axis = 0> (mone.0/ints_3, mone.0/Reshape)
            mone.0/Shape = Shape (mone.0/Reshape)
            mone.0/Gather = Gather <axis = 0> (mone.0/Shape, mone.0/ints_1)
            mone.0/Concat = Concat <axis = 0> (mone.0/Gather, mone.0/ints_2)
            mone.0/ConstantOfShape = ConstantOfShape <value = float[1] {0.0}> (mone.0/Concat)
            mone.0/ScatterElements = ScatterElements <axis = 1> (mone.0/ConstantOfShape, mone.0/Gather_1, mone.0/Reshape_1)
            mone.0/MatMul = MatMul (mone.0/ScatterElements, mone.0/novices)
            mone.0/Add = Add (routed, mone.0/MatMul)
            y = Add (x, mone.0/Add)
            """);
  }

  @Test
  void leadsTheChainPastWhatDynamoAdded() {
    TinyMoe tiny = Spelling.DYNAMO.of(3, 2, 4);
    Graph before = tiny.graph();
    Graph after = rewritten(tiny, 0, 2).graph();

    assertThat(lines(before, after))
        .isEqualTo(
            """
            int64[2] halves = {1, 1}
            int64 id0 = {0}
            int64 id2 = {2}
            float[5, 4] up0
            float[4, 5] down0
            float[5, 4] up2
            float[4, 5] down2
            routed0 = Identity (zeros)
            row0 = Gather <axis = 0> (mask, id0)
            hits0 = NonZero (row0)
            pairs0 = Transpose <perm = [1, 0]> (hits0)
            slots0 = Slice (pairs0, zero, one, one)
            slot0 = Squeeze (slots0, one)
            tokens0 = Slice (pairs0, one, two, one)
            token0 = Squeeze (tokens0, one)
            at0 = Unsqueeze (token0, last)
            rows0 = GatherND <batch_dims = 0> (x, at0)
            in0 = Gemm <transB = 1> (rows0, up0)
            act0 = Tanh (in0)
            raw0 = Gemm <transB = 1> (act0, down0)
            slotAt0 = Unsqueeze (slot0, last)
            place0 = Concat <axis = -1> (at0, slotAt0)
            gate0 = GatherND <batch_dims = 0> (perSlot, place0)
            scaled0 = Mul (raw0, gate0)
            routed1 = ScatterND <reduction = "add"> (routed0, at0, scaled0)
            routed2 = ScatterND <reduction = "add"> (routed1, at1, scaled1)
            row2 = Gather <axis = 0> (mask, id2)
            hits2 = NonZero (row2)
            pairs2 = Transpose <perm = [1, 0]> (hits2)
            slots2 = Slice (pairs2, zero, one, one)
            slot2 = Squeeze (slots2, one)
            tokens2 = Slice (pairs2, one, two, one)
            token2 = Squeeze (tokens2, one)
            at2 = Unsqueeze (token2, last)
            rows2 = GatherND <batch_dims = 0> (x, at2)
            in2 = Gemm <transB = 1> (rows2, up2)
            act2 = Tanh (in2)
            raw2 = Gemm <transB = 1> (act2, down2)
            slotAt2 = Unsqueeze (slot2, last)
            place2 = Concat <axis = -1> (at2, slotAt2)
            gate2 = GatherND <batch_dims = 0> (perSlot, place2)
            scaled2 = Mul (raw2, gate2)
            routed = ScatterND <reduction = "add"> (routed2, at2, scaled2)
            y = Add (x, routed)
            """);
    assertThat(lines(after, before))
        .isEqualTo(
            """
            float[3, 4] mone.0/novices
            int64[2] mone.0/ints = {-1, 2}
            int64[1] mone.0/ints_1 = {0}
            int64[1] mone.0/ints_2 = {3}
            mone.0/ints_3 = Constant <value = int64[3] {0, 2, 1}> ()
            routed2 = ScatterND <reduction = "add"> (zeros, at1, scaled1)
            mone.0/Reshape_1 = Reshape (gates, mone.0/ints)
            mone.0/Reshape = Reshape (experts, mone.0/ints)
            mone.0/Gather_1 = Gather <axis = 0> (mone.0/ints_3, mone.0/Reshape)
            mone.0/Shape = Shape (mone.0/Reshape)
            mone.0/Gather = Gather <axis = 0> (mone.0/Shape, mone.0/ints_1)
            mone.0/Concat = Concat <axis = 0> (mone.0/Gather, mone.0/ints_2)
            mone.0/ConstantOfShape = ConstantOfShape <value = float[1] {0.0}> (mone.0/Concat)
            mone.0/ScatterElements = ScatterElements <axis = 1> (mone.0/ConstantOfShape, mone.0/Gather_1, mone.0/Reshape_1)
            mone.0/MatMul = MatMul (mone.0/ScatterElements, mone.0/novices)
            mone.0/Add = Add (routed2, mone.0/MatMul)
            y = Add (x, mone.0/Add)
            """);
  }

  @Test
  void leavesTheSlotsOfRemovedExpertsAtZero() {
    TinyMoe tiny = Spelling.BUFFER.of(3, 2, 4);
    Graph before = tiny.graph();
    Graph after = rewritten(tiny, 0).graph();

    assertThat(lines(before, after))
        .isEqualTo(
            """
            int64[1] zero = {0}
            int64[1] two = {2}
            int64[2] halves = {1, 1}
            int64 id0 = {0}
            float[5, 4] up0
            float[4, 5] down0
            mask0 = Equal (ids, id0)
            hits0 = NonZero (mask0)
            at0 = Transpose <perm = [1, 0]> (hits0)
            slot0 = Squeeze (at0, one)
            rows0 = Gather <axis = 0> (tokens, slot0)
            in0 = Gemm <transB = 1> (rows0, up0)
            act0 = Tanh (in0)
            raw0 = Gemm <transB = 1> (act0, down0)
            column0 = Unsqueeze (mask0, last)
            size0 = Shape (buffer0)
            wide0 = Expand (column0, size0)
            cells0 = NonZero (wide0)
            places0 = Transpose <perm = [1, 0]> (cells0)
            elements0 = Reshape (raw0, last)
            buffer1 = ScatterND (buffer0, places0, elements0)
            size1 = Shape (buffer1)
            buffer2 = ScatterND (buffer1, places1, elements1)
            y = Add (x, routed)
            """);
    assertThat(lines(after, before))
        .isEqualTo(
            """
            float[2, 4] mone.0/novices = {1.0, 1.5, 2.0, 2.5, 0.0, 0.0, 0.0, 0.0}
            int64[2] mone.0/ints = {-1, 2}
            int64[1] mone.0/ints_1 = {0}
            int64[1] mone.0/ints_2 = {2}
            mone.0/ints_3 = Constant <value = int64[3] {0, 1, 1}> ()
            size1 = Shape (buffer0)
            buffer2 = ScatterND (buffer0, places1, elements1)
            mone.0/Reshape_1 = Reshape (gates, mone.0/ints)
            mone.0/Reshape = Reshape (experts, mone.0/ints)
            mone.0/Gather_1 = Gather <axis = 0> (mone.0/ints_3, mone.0/Reshape)
            mone.0/Shape = Shape (mone.0/Reshape)
            mone.0/Gather = Gather <axis = 0> (mone.0/Shape, mone.0/ints_1)
            mone.0/Concat = Concat <axis = 0> (mone.0/Gather, mone.0/ints_2)
            mone.0/ConstantOfShape = ConstantOfShape <value = float[1] {0.0}> (mone.0/Concat)
            mone.0/ScatterElements = ScatterElements <axis = 1> (mone.0/ConstantOfShape, mone.0/Gather_1, mone.0/Reshape_1)
            mone.0/MatMul = MatMul (mone.0/ScatterElements, mone.0/novices)
            mone.0/Add = Add (routed, mone.0/MatMul)
            y = Add (x, mone.0/Add)
            """);
  }

  @Test
  void clearsTheSlotsOfRemovedExpertsInWhatTheBufferStartsFrom() {
    Model model = SwitchMoe.model();
    Graph before = model.graph();
    Graph after =
        Rewriter.rewrite(
                Canonical.of(model),
                List.of(SwitchMoe.block()),
                Map.of("experts", replacement(4, 1)))
            .graph();

    assertThat(lines(before, after))
        .isEqualTo(
            """
            int64 id1 = {1}
            float[5, 4] up1
            float[5] upBias1 = {-0.06588357, 0.24354821, -0.12552507, 0.1651806, -0.23750694}
            float[4, 5] down1
            float[4] downBias1 = {-0.01217236, 0.055823185, 0.036821496, 0.23479937}
            buffer1 = ScatterND (x, places0, elements0)
            mask1 = Gather <axis = 2> (kept, id1)
            bits1 = Cast <to = 9> (mask1)
            hits1 = NonZero (bits1)
            at1 = Transpose <perm = [1, 0]> (hits1)
            rows1 = GatherND <batch_dims = 0> (x, at1)
            in1 = Gemm <transB = 1> (rows1, up1, upBias1)
            act1 = Gelu (in1)
            raw1 = Gemm <transB = 1> (act1, down1, downBias1)
            column1 = Unsqueeze (bits1, last)
            size1 = Shape (buffer1)
            wide1 = Expand (column1, size1)
            cells1 = NonZero (wide1)
            places1 = Transpose <perm = [1, 0]> (cells1)
            elements1 = Reshape (raw1, last)
            buffer2 = ScatterND (buffer1, places1, elements1)
            size2 = Shape (buffer2)
            buffer3 = ScatterND (buffer2, places2, elements2)
            y = Add (x, routed)
            """);
    assertThat(lines(after, before))
        .isEqualTo(
            """
            int64[2] mone.0/ints = {-1, 1}
            int64[1] mone.0/ints_1 = {-1}
            float[1] mone.0/zero = {0.0}
            int64[2] mone.0/ints_2 = {-1, 4}
            float mone.0/float = {0.0}
            float[2, 4] mone.0/novices = {2.0, 2.5, 3.0, 3.5, 0.0, 0.0, 0.0, 0.0}
            int64[1] mone.0/ints_3 = {0}
            int64[1] mone.0/ints_4 = {2}
            mone.0/removed = Constant <value = float[3] {0.0, 1.0, 0.0}> ()
            mone.0/ints_5 = Constant <value = int64[3] {1, 0, 1}> ()
            mone.0/Shape = Shape (x)
            mone.0/Reshape_3 = Reshape (x, mone.0/ints_2)
            mone.0/ReduceMax = ReduceMax <keepdims = 0> (kept, mone.0/ints_1)
            mone.0/Cast = Cast <to = 9> (mone.0/ReduceMax)
            mone.0/Cast_1 = Cast <to = 1> (mone.0/Cast)
            mone.0/Reshape_1 = Reshape (mone.0/Cast_1, mone.0/ints)
            mone.0/Reshape = Reshape (experts, mone.0/ints)
            mone.0/Gather = Gather <axis = 0> (mone.0/removed, mone.0/Reshape)
            mone.0/Mul = Mul (mone.0/Gather, mone.0/Reshape_1)
            mone.0/Reshape_2 = Reshape (mone.0/Mul, mone.0/ints)
            mone.0/Greater = Greater (mone.0/Reshape_2, mone.0/float)
            mone.0/Where = Where (mone.0/Greater, mone.0/zero, mone.0/Reshape_3)
            mone.0/Reshape_4 = Reshape (mone.0/Where, mone.0/Shape)
            buffer1 = ScatterND (mone.0/Reshape_4, places0, elements0)
            size2 = Shape (buffer1)
            buffer3 = ScatterND (buffer1, places2, elements2)
            mone.0/Shape_2 = Shape (routed)
            mone.0/Reshape_5 = Reshape (gates, mone.0/ints)
            mone.0/Mul_1 = Mul (mone.0/Reshape_5, mone.0/Reshape_1)
            mone.0/Gather_2 = Gather <axis = 0> (mone.0/ints_5, mone.0/Reshape)
            mone.0/Shape_1 = Shape (mone.0/Reshape)
            mone.0/Gather_1 = Gather <axis = 0> (mone.0/Shape_1, mone.0/ints_3)
            mone.0/Concat = Concat <axis = 0> (mone.0/Gather_1, mone.0/ints_4)
            mone.0/ConstantOfShape = ConstantOfShape <value = float[1] {0.0}> (mone.0/Concat)
            mone.0/ScatterElements = ScatterElements <axis = 1> (mone.0/ConstantOfShape, mone.0/Gather_2, mone.0/Mul_1)
            mone.0/MatMul = MatMul (mone.0/ScatterElements, mone.0/novices)
            mone.0/Reshape_6 = Reshape (mone.0/MatMul, mone.0/Shape_2)
            mone.0/Add = Add (routed, mone.0/Reshape_6)
            y = Add (x, mone.0/Add)
            """);
  }

  @Test
  void cutsTheAxisOfExpertsWhereverItBegins() {
    TinyMoe tiny = Spelling.STACKED.of(3, 2, 4);
    Graph before = tiny.graph();
    Graph after = rewritten(tiny, 1).graph();

    assertThat(lines(before, after))
        .isEqualTo(
            """
            int64[1] one = {1}
            int64[2] halves = {1, 1}
            int64[2] repeats = {3, 1}
            int64[3] apart = {3, -1, 4}
            int64[2] order = {3, -1}
            float[3, 4, 5] up
            float[3, 5, 4] down
            copies = Tile (x, repeats)
            tokens = Reshape (copies, apart)
            in = MatMul (tokens, up)
            raw = MatMul (act, down)
            turned = Transpose <perm = [1, 0]> (matrix)
            byExpert = Reshape (turned, order)
            y = Add (x, routed)
            """);
    assertThat(lines(after, before))
        .isEqualTo(
            """
            float[2, 5, 4] mone.0/kept
            float[2, 4, 5] mone.0/kept_1
            int64[2] mone.0/ints = {2, -1}
            int64[3] mone.0/ints_1 = {2, -1, 4}
            int64[2] mone.0/ints_2 = {2, 1}
            int64[2] mone.0/ints_3 = {0, 2}
            float[2, 4] mone.0/novices = {2.0, 2.5, 3.0, 3.5, 0.0, 0.0, 0.0, 0.0}
            int64[2] mone.0/ints_4 = {1, 1}
            copies = Tile (x, mone.0/ints_2)
            tokens = Reshape (copies, mone.0/ints_1)
            in = MatMul (tokens, mone.0/kept_1)
            raw = MatMul (act, mone.0/kept)
            mone.0/Gather = Gather <axis = 1> (matrix, mone.0/ints_3)
            turned = Transpose <perm = [1, 0]> (mone.0/Gather)
            byExpert = Reshape (turned, mone.0/ints)
            mone.0/Gather_1 = Gather <axis = 1> (matrix, mone.0/ints_4)
            mone.0/MatMul = MatMul (mone.0/Gather_1, mone.0/novices)
            mone.0/Add = Add (routed, mone.0/MatMul)
            y = Add (x, mone.0/Add)
            """);
  }

  @Test
  void picksZerosForReplacedExperts() {
    TinyMoe tiny = Spelling.PICKED.of(3, 2, 4);
    Graph before = tiny.graph();
    Graph after = rewritten(tiny, 1).graph();

    assertThat(lines(before, after))
        .isEqualTo(
            """
            int64[1] zero = {0}
            int64[1] two = {2}
            int64[2] halves = {1, 1}
            float[5, 4] up1
            float[4, 5] down1
            in1 = Gemm <transB = 1> (x, up1)
            act1 = Tanh (in1)
            raw1 = Gemm <transB = 1> (act1, down1)
            row1 = Unsqueeze (raw1, one)
            all = Concat <axis = 1> (row0, row1, row2)
            column = Unsqueeze (experts, last)
            picked = GatherElements <axis = 1> (all, places)
            y = Add (x, routed)
            """);
    assertThat(lines(after, before))
        .isEqualTo(
            """
            float[2, 4] mone.0/novices = {2.0, 2.5, 3.0, 3.5, 0.0, 0.0, 0.0, 0.0}
            int64[2] mone.0/ints_1 = {-1, 2}
            int64[1] mone.0/ints_2 = {0}
            int64[1] mone.0/ints_3 = {2}
            mone.0/ints = Constant <value = int64[3] {0, 2, 1}> ()
            mone.0/ints_4 = Constant <value = int64[3] {1, 0, 1}> ()
            mone.0/Gather = Gather <axis = 0> (mone.0/ints, experts)
            column = Unsqueeze (mone.0/Gather, last)
            mone.0/Shape = Shape (row0)
            mone.0/ConstantOfShape = ConstantOfShape <value = float[1] {0.0}> (mone.0/Shape)
            mone.0/Concat = Concat <axis = 1> (row0, row2, mone.0/ConstantOfShape)
            picked = GatherElements <axis = 1> (mone.0/Concat, places)
            mone.0/Reshape_1 = Reshape (gates, mone.0/ints_1)
            mone.0/Reshape = Reshape (experts, mone.0/ints_1)
            mone.0/Gather_2 = Gather <axis = 0> (mone.0/ints_4, mone.0/Reshape)
            mone.0/Shape_1 = Shape (mone.0/Reshape)
            mone.0/Gather_1 = Gather <axis = 0> (mone.0/Shape_1, mone.0/ints_2)
            mone.0/Concat_1 = Concat <axis = 0> (mone.0/Gather_1, mone.0/ints_3)
            mone.0/ConstantOfShape_1 = ConstantOfShape <value = float[1] {0.0}> (mone.0/Concat_1)
            mone.0/ScatterElements = ScatterElements <axis = 1> (mone.0/ConstantOfShape_1, mone.0/Gather_2, mone.0/Reshape_1)
            mone.0/MatMul = MatMul (mone.0/ScatterElements, mone.0/novices)
            mone.0/Add = Add (routed, mone.0/MatMul)
            y = Add (x, mone.0/Add)
            """);
  }

  @Test
  void computesOnlyTheSlotsOfKeptExperts() {
    TinyMoe tiny = Spelling.GATHERED.of(3, 2, 4);
    Graph before = tiny.graph();
    Graph after = rewritten(tiny, 1).graph();

    assertThat(lines(before, after))
        .isEqualTo(
            """
            int64[1] zero = {0}
            int64[1] two = {2}
            int64[2] halves = {1, 1}
            float[3, 5, 4] up
            float[3, 4, 5] down
            ids = Reshape (experts, last)
            ups = Gather <axis = 0> (up, ids)
            in = MatMul (ups, columns)
            downs = Gather <axis = 0> (down, ids)
            out = MatMul (downs, act)
            scaled = Mul (raw, gate)
            y = Add (x, routed)
            """);
    assertThat(lines(after, before))
        .isEqualTo(
            """
            int64[2] mone.0/ints = {-1, 2}
            int64[1] mone.0/ints_1 = {-1}
            int64[1] mone.0/ints_2 = {4}
            float[2, 5, 4] mone.0/kept
            float[2, 4, 5] mone.0/kept_1
            int64[1] mone.0/ints_5 = {1}
            float[2, 4] mone.0/novices = {2.0, 2.5, 3.0, 3.5, 0.0, 0.0, 0.0, 0.0}
            int64[1] mone.0/ints_6 = {0}
            int64[1] mone.0/ints_7 = {2}
            mone.0/ints_3 = Constant <value = int64[3] {1, 0, 1}> ()
            mone.0/ints_4 = Constant <value = int64[3] {0, 0, 1}> ()
            mone.0/Reshape_1 = Reshape (experts, mone.0/ints_1)
            mone.0/Gather = Gather <axis = 0> (mone.0/ints_3, mone.0/Reshape_1)
            mone.0/NonZero = NonZero (mone.0/Gather)
            mone.0/Reshape_2 = Reshape (mone.0/NonZero, mone.0/ints_1)
            mone.0/Gather_5 = Gather <axis = 0> (columns, mone.0/Reshape_2)
            mone.0/Gather_1 = Gather <axis = 0> (mone.0/Reshape_1, mone.0/Reshape_2)
            mone.0/Gather_2 = Gather <axis = 0> (mone.0/ints_4, mone.0/Gather_1)
            mone.0/Gather_3 = Gather <axis = 0> (mone.0/kept, mone.0/Gather_2)
            in = MatMul (mone.0/Gather_3, mone.0/Gather_5)
            mone.0/Gather_4 = Gather <axis = 0> (mone.0/kept_1, mone.0/Gather_2)
            out = MatMul (mone.0/Gather_4, act)
            mone.0/Unsqueeze = Unsqueeze (mone.0/Reshape_2, mone.0/ints_5)
            mone.0/Shape = Shape (mone.0/Reshape_1)
            mone.0/Concat = Concat <axis = 0> (mone.0/Shape, mone.0/ints_2)
            mone.0/ConstantOfShape = ConstantOfShape <value = float[1] {0.0}> (mone.0/Concat)
            mone.0/ScatterND = ScatterND (mone.0/ConstantOfShape, mone.0/Unsqueeze, raw)
            scaled = Mul (mone.0/ScatterND, gate)
            mone.0/Reshape_3 = Reshape (gates, mone.0/ints)
            mone.0/Reshape = Reshape (experts, mone.0/ints)
            mone.0/Gather_7 = Gather <axis = 0> (mone.0/ints_3, mone.0/Reshape)
            mone.0/Shape_1 = Shape (mone.0/Reshape)
            mone.0/Gather_6 = Gather <axis = 0> (mone.0/Shape_1, mone.0/ints_6)
            mone.0/Concat_1 = Concat <axis = 0> (mone.0/Gather_6, mone.0/ints_7)
            mone.0/ConstantOfShape_1 = ConstantOfShape <value = float[1] {0.0}> (mone.0/Concat_1)
            mone.0/ScatterElements = ScatterElements <axis = 1> (mone.0/ConstantOfShape_1, mone.0/Gather_7, mone.0/Reshape_3)
            mone.0/MatMul = MatMul (mone.0/ScatterElements, mone.0/novices)
            mone.0/Add = Add (routed, mone.0/MatMul)
            y = Add (x, mone.0/Add)
            """);
  }

  @Test
  void sortsOutTheRowsOfReplacedExperts() {
    TinyMoe tiny = Spelling.SORTED.of(3, 2, 4);
    Graph before = tiny.graph();
    Graph after = rewritten(tiny, 1).graph();

    assertThat(lines(before, after))
        .isEqualTo(
            """
            int64[1] two = {2}
            int64[2] halves = {1, 1}
            float[4, 5] up1
            float[5, 4] down1
            ends = CumSum (counts, id0)
            segment0 = Slice (rows, bound0, bound1, zero, one)
            segment1 = Slice (rows, bound1, bound2, zero, one)
            in1 = MatMul (segment1, up1)
            act1 = Tanh (in1)
            piece1 = MatMul (act1, down1)
            segment2 = Slice (rows, bound2, bound, zero, one)
            raw = Concat <axis = 0> (piece0, piece1, piece2)
            placed = Gather <axis = 0> (raw, place)
            y = Add (x, routed)
            """);
    assertThat(lines(after, before))
        .isEqualTo(
            """
            int64[2] mone.0/ints = {-1, 2}
            int64[1] mone.0/ints_1 = {-1}
            int64[1] mone.0/ints_2 = {4}
            int64[1] mone.0/ints_5 = {1}
            float[2, 4] mone.0/novices = {2.0, 2.5, 3.0, 3.5, 0.0, 0.0, 0.0, 0.0}
            int64[1] mone.0/ints_6 = {0}
            int64[1] mone.0/ints_7 = {2}
            mone.0/ints_3 = Constant <value = int64[3] {1, 0, 1}> ()
            mone.0/Mul = Mul (counts, mone.0/ints_3)
            ends = CumSum (mone.0/Mul, id0)
            mone.0/Reshape_1 = Reshape (experts, mone.0/ints_1)
            mone.0/Gather = Gather <axis = 0> (mone.0/Reshape_1, order)
            mone.0/Gather_1 = Gather <axis = 0> (mone.0/ints_3, mone.0/Gather)
            mone.0/NonZero = NonZero (mone.0/Gather_1)
            mone.0/Reshape_2 = Reshape (mone.0/NonZero, mone.0/ints_1)
            mone.0/Gather_4 = Gather <axis = 0> (rows, mone.0/Reshape_2)
            segment0 = Slice (mone.0/Gather_4, bound0, bound1, zero)
            segment2 = Slice (mone.0/Gather_4, bound2, bound, zero)
            raw = Concat <axis = 0> (piece0, piece2)
            mone.0/Unsqueeze = Unsqueeze (mone.0/Reshape_2, mone.0/ints_5)
            mone.0/Shape = Shape (mone.0/Gather)
            mone.0/Concat = Concat <axis = 0> (mone.0/Shape, mone.0/ints_2)
            mone.0/ConstantOfShape = ConstantOfShape <value = float[1] {0.0}> (mone.0/Concat)
            mone.0/ScatterND = ScatterND (mone.0/ConstantOfShape, mone.0/Unsqueeze, raw)
            placed = Gather <axis = 0> (mone.0/ScatterND, place)
            mone.0/Reshape_3 = Reshape (gates, mone.0/ints)
            mone.0/Reshape = Reshape (experts, mone.0/ints)
            mone.0/Gather_6 = Gather <axis = 0> (mone.0/ints_3, mone.0/Reshape)
            mone.0/Shape_1 = Shape (mone.0/Reshape)
            mone.0/Gather_5 = Gather <axis = 0> (mone.0/Shape_1, mone.0/ints_6)
            mone.0/Concat_1 = Concat <axis = 0> (mone.0/Gather_5, mone.0/ints_7)
            mone.0/ConstantOfShape_1 = ConstantOfShape <value = float[1] {0.0}> (mone.0/Concat_1)
            mone.0/ScatterElements = ScatterElements <axis = 1> (mone.0/ConstantOfShape_1, mone.0/Gather_6, mone.0/Reshape_3)
            mone.0/MatMul = MatMul (mone.0/ScatterElements, mone.0/novices)
            mone.0/Add = Add (routed, mone.0/MatMul)
            y = Add (x, mone.0/Add)
            """);
  }

  @Test
  void cutsStackedWeightsOfSortedExpertsDownToTheKeptRows() {
    TinyMoe tiny = Spelling.GROUPED.of(3, 2, 4);
    Graph before = tiny.graph();
    Graph after = rewritten(tiny, 1).graph();

    assertThat(lines(before, after))
        .isEqualTo(
            """
            int64[1] two = {2}
            int64[2] halves = {1, 1}
            int64 id1 = {1}
            int64 id2 = {2}
            float[3, 4, 5] up
            float[3, 5, 4] down
            ends = CumSum (counts, id0)
            segment0 = Slice (rows, bound0, bound1, zero)
            upRow0 = Slice (up, from0, to0, zero)
            segment1 = Slice (rows, bound1, bound2, zero)
            upRow1 = Slice (up, from1, to1, zero)
            upOf1 = Squeeze (upRow1, zero)
            in1 = MatMul (segment1, upOf1)
            segment2 = Slice (rows, bound2, bound, zero)
            upRow2 = Slice (up, from2, to2, zero)
            in = Concat <axis = 0> (in0, in1, in2)
            downOf0 = Gather <axis = 0> (down, id0)
            half1 = Slice (act, bound1, bound2, zero)
            downOf1 = Gather <axis = 0> (down, id1)
            piece1 = MatMul (half1, downOf1)
            downOf2 = Gather <axis = 0> (down, id2)
            raw = Concat <axis = 0> (piece0, piece1, piece2)
            scaled = Mul (raw, gate)
            y = Add (x, routed)
            """);
    assertThat(lines(after, before))
        .isEqualTo(
            """
            int64[2] mone.0/ints = {-1, 2}
            int64[1] mone.0/ints_1 = {-1}
            int64[1] mone.0/ints_2 = {4}
            int64[1] mone.0/ints_5 = {1}
            float[2, 4] mone.0/novices = {2.0, 2.5, 3.0, 3.5, 0.0, 0.0, 0.0, 0.0}
            int64[1] mone.0/ints_6 = {0}
            int64[1] mone.0/ints_7 = {2}
            float[2, 5, 4] down/kept
            int64 down/kept/row = {0}
            int64 down/kept/row_1 = {1}
            float[2, 4, 5] up/kept
            int64[1] up/kept/row = {0}
            int64[1] up/kept/row_1 = {1}
            int64[1] up/kept/row_2 = {2}
            mone.0/ints_3 = Constant <value = int64[3] {1, 0, 1}> ()
            mone.0/Mul = Mul (counts, mone.0/ints_3)
            ends = CumSum (mone.0/Mul, id0)
            mone.0/Reshape_1 = Reshape (experts, mone.0/ints_1)
            mone.0/Gather = Gather <axis = 0> (mone.0/Reshape_1, order)
            mone.0/Gather_1 = Gather <axis = 0> (mone.0/ints_3, mone.0/Gather)
            mone.0/NonZero = NonZero (mone.0/Gather_1)
            mone.0/Reshape_2 = Reshape (mone.0/NonZero, mone.0/ints_1)
            mone.0/Gather_4 = Gather <axis = 0> (rows, mone.0/Reshape_2)
            segment0 = Slice (mone.0/Gather_4, bound0, bound1, zero)
            upRow0 = Slice (up/kept, up/kept/row, up/kept/row_1, zero)
            segment2 = Slice (mone.0/Gather_4, bound2, bound, zero)
            upRow2 = Slice (up/kept, up/kept/row_1, up/kept/row_2, zero)
            in = Concat <axis = 0> (in0, in2)
            downOf0 = Gather <axis = 0> (down/kept, down/kept/row)
            downOf2 = Gather <axis = 0> (down/kept, down/kept/row_1)
            raw = Concat <axis = 0> (piece0, piece2)
            mone.0/Unsqueeze = Unsqueeze (mone.0/Reshape_2, mone.0/ints_5)
            mone.0/Shape = Shape (mone.0/Gather)
            mone.0/Concat = Concat <axis = 0> (mone.0/Shape, mone.0/ints_2)
            mone.0/ConstantOfShape = ConstantOfShape <value = float[1] {0.0}> (mone.0/Concat)
            mone.0/ScatterND = ScatterND (mone.0/ConstantOfShape, mone.0/Unsqueeze, raw)
            scaled = Mul (mone.0/ScatterND, gate)
            mone.0/Reshape_3 = Reshape (gates, mone.0/ints)
            mone.0/Reshape = Reshape (experts, mone.0/ints)
            mone.0/Gather_6 = Gather <axis = 0> (mone.0/ints_3, mone.0/Reshape)
            mone.0/Shape_1 = Shape (mone.0/Reshape)
            mone.0/Gather_5 = Gather <axis = 0> (mone.0/Shape_1, mone.0/ints_6)
            mone.0/Concat_1 = Concat <axis = 0> (mone.0/Gather_5, mone.0/ints_7)
            mone.0/ConstantOfShape_1 = ConstantOfShape <value = float[1] {0.0}> (mone.0/Concat_1)
            mone.0/ScatterElements = ScatterElements <axis = 1> (mone.0/ConstantOfShape_1, mone.0/Gather_6, mone.0/Reshape_3)
            mone.0/MatMul = MatMul (mone.0/ScatterElements, mone.0/novices)
            mone.0/Add = Add (routed, mone.0/MatMul)
            y = Add (x, mone.0/Add)
            """);
  }

  @ParameterizedTest
  @EnumSource(names = {"SORTED", "GROUPED"})
  void hasFewerNodesTheMoreSortedExpertsAreReplaced(Spelling spelling) {
    TinyMoe tiny = spelling.of(16, 2, 4);
    int one = rewritten(tiny, 1).graph().nodes().size();
    int half = rewritten(tiny, IntStream.range(0, 8).toArray()).graph().nodes().size();
    int all = rewritten(tiny, IntStream.range(0, 16).toArray()).graph().nodes().size();

    assertThat(half).isLessThan(one - 7 * 4);
    assertThat(all).isLessThan(half);
  }

  @Test
  void letsAFusedOperatorChooseAmongKeptExpertsOnly() {
    TinyMoe tiny = Spelling.FUSED.of(3, 2, 4);
    Graph before = tiny.graph();
    Graph after = rewritten(tiny, 1).graph();

    assertThat(lines(before, after))
        .isEqualTo(
            """
            int64[1] k = {2}
            int64[1] last = {-1}
            int64[1] zero = {0}
            int64[1] one = {1}
            int64[1] two = {2}
            int64[2] halves = {1, 1}
            int64[3] perSlot = {1, 2, 1}
            int64[2] rows = {-1, 4}
            int64[3] bySlot = {-1, 2, 4}
            float[3, 5, 4] up
            float[3, 4, 5] down
            routed = com.microsoft.MoE <k = 2, activation_type = "relu", normalize_routing_weights = 1> (x, experts, up, , down)
            y = Add (x, routed)
            """);
    assertThat(lines(after, before))
        .isEqualTo(
            """
            int64[2] mone.0/ints = {0, 2}
            int64[3] mone.0/ints_1 = {2, 1, 0}
            int64[1] mone.0/ints_2 = {2}
            float[2, 5, 4] mone.0/kept
            float[2, 4, 5] mone.0/kept_1
            int64[1] mone.0/ints_3 = {1}
            float[2, 4] mone.0/novices = {2.0, 2.5, 3.0, 3.5, 0.0, 0.0, 0.0, 0.0}
            int64[2] mone.0/ints_4 = {1, 1}
            mone.0/Gather = Gather <axis = 1> (experts, mone.0/ints_1)
            mone.0/Best, mone.0/TopK = TopK <axis = -1> (mone.0/Gather, mone.0/ints_2)
            mone.0/Sub = Sub (mone.0/ints_2, mone.0/TopK)
            mone.0/Shape = Shape (experts)
            mone.0/ConstantOfShape = ConstantOfShape <value = float[1] {-1.0E30}> (mone.0/Shape)
            mone.0/ScatterElements = ScatterElements <axis = 1> (mone.0/ConstantOfShape, mone.0/Sub, mone.0/Best)
            mone.0/Softmax = Softmax <axis = -1> (mone.0/ScatterElements)
            mone.0/Gather_3 = Gather <axis = 1> (mone.0/Softmax, mone.0/ints_4)
            mone.0/MatMul = MatMul (mone.0/Gather_3, mone.0/novices)
            mone.0/Gather_1 = Gather <axis = 1> (mone.0/Softmax, mone.0/ints)
            mone.0/ReduceSum = ReduceSum <keepdims = 1> (mone.0/Gather_1, mone.0/ints_3)
            mone.0/Gather_2 = Gather <axis = 1> (mone.0/ScatterElements, mone.0/ints)
            mone.0/MoE = com.microsoft.MoE <k = 2, activation_type = "relu", normalize_routing_weights = 1, use_sparse_mixer = 0> (x, mone.0/Gather_2, mone.0/kept, , mone.0/kept_1)
            mone.0/Mul = Mul (mone.0/MoE, mone.0/ReduceSum)
            mone.0/Add = Add (mone.0/Mul, mone.0/MatMul)
            y = Add (x, mone.0/Add)
            """);
  }

  @ParameterizedTest
  @EnumSource(names = {"GATHERED", "FUSED"})
  void keepsTheRowsOfKeptExpertsInTheirOrder(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4);
    Map<String, Initializer> after = rewritten(tiny, 1).graph().initializers();

    assertThat(after).doesNotContainKeys("up", "down");
    assertThat(after.get("mone.0/kept").tensor())
        .isEqualTo(tiny.graph().constant("up").orElseThrow().rows(List.of(0, 2)));
    assertThat(after.get("mone.0/kept_1").tensor())
        .isEqualTo(tiny.graph().constant("down").orElseThrow().rows(List.of(0, 2)));
  }

  @ParameterizedTest
  @EnumSource
  void leavesTheModelAsItIsIfNothingIsReplaced(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4);
    Model model = tiny.model();

    assertThat(rewritten(tiny).graph()).hasToString(model.graph().toString());
    assertThat(Rewriter.rewrite(Canonical.of(model), List.of(tiny.block()), Map.of()))
        .isSameAs(model);
  }

  @ParameterizedTest
  @EnumSource
  void computesTheNovicesAloneIfAllExpertsAreReplaced(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4);
    Model all = rewritten(tiny, 0, 1, 2);
    float[] x = run(tiny.model(), tiny, "x");
    float[] gates = run(tiny.shown(), tiny, "gates");
    long[] experts =
        TinyMoe.run(tiny.shown(), Map.of("x", tiny.tokens(25, 1)), List.of("experts"))
            .get("experts")
            .toLongs();
    float[] wanted = x.clone();
    for (int slot = 0; slot < experts.length; slot++) {
      for (int i = 0; i < 4; i++) {
        wanted[slot / 2 * 4 + i] += gates[slot] * (experts[slot] + 1 + 0.5f * i);
      }
    }

    assertThat(run(all, tiny, "y")).containsExactly(wanted, within(1e-5f));
    assertThat(all.graph().initializers())
        .doesNotContainKeys("up", "down", "up0", "down0", "up1", "down1", "up2", "down2");
  }

  @ParameterizedTest
  @CsvSource({
    "TORCHSCRIPT, 3, 2",
    "DYNAMO, 5, 3",
    "GATHERED, 4, 2",
    "COLUMNS, 4, 1",
    "FUSED, 4, 2",
    "GUARDED, 3, 2",
    "BRANCHED, 3, 2",
    "ROUNDS, 3, 2",
    "BUFFER, 4, 3",
    "SORTED, 4, 2",
    "GROUPED, 3, 2"
  })
  void takesOutExactlyWhatAnExpertContributes(Spelling spelling, int experts, int topK) {
    TinyMoe tiny = spelling.of(experts, topK, 4);
    float[] y = run(tiny.model(), tiny, "y");
    float[] routed = run(tiny.model(), tiny, "routed");
    float[] contributed = new float[y.length];
    for (int e = 0; e < experts; e++) {
      Replacement nothing = Replacement.byNovices(new TreeMap<>(Map.of(e, new float[4])));
      float[] without =
          run(
              Rewriter.rewrite(
                  Canonical.of(tiny.model()), List.of(tiny.block()), Map.of("experts", nothing)),
              tiny,
              "y");
      for (int i = 0; i < y.length; i++) {
        contributed[i] += y[i] - without[i];
      }
    }

    assertThat(contributed).containsExactly(routed, within(1e-5f));
  }

  @ParameterizedTest
  @EnumSource
  void leavesTheRouterAndTheSignatureAsTheyAre(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4);
    Model before = tiny.model().withMetadata("author", "somebody");
    Model after =
        Rewriter.rewrite(
            Canonical.of(before), List.of(tiny.block()), Map.of("experts", replacement(4, 0, 2)));

    assertThat(after.graph().initializers().get("router"))
        .isEqualTo(before.graph().initializers().get("router"));
    for (String value : List.of("logits", "scores", "experts", "total", "gates")) {
      assertThat(after.graph().producer(value)).isEqualTo(before.graph().producer(value));
    }
    assertThat(after.graph().inputs()).isEqualTo(before.graph().inputs());
    assertThat(after.graph().outputs()).isEqualTo(before.graph().outputs());
    assertThat(after.opsets()).isEqualTo(before.opsets());
    assertThat(after.metadata()).containsEntry("author", "somebody");
  }

  @ParameterizedTest
  @EnumSource
  void saysInTheMetadataWhichRowStandsForWhichExpert(Spelling spelling) {
    Model after = rewritten(spelling.of(3, 2, 4), 0, 2);

    assertThat(after.metadata().get("expert_substitution"))
        .contains(
            "\"experts\":{\"num_logical_experts\":3",
            "\"0\":{\"format\":\"constant-v1\",\"tensors\":{\"value\":\"mone.0/novices[0]\"}}",
            "\"2\":{\"format\":\"constant-v1\",\"tensors\":{\"value\":\"mone.0/novices[1]\"}}");
    assertThat(after.graph().constant("mone.0/novices").orElseThrow().toFloats())
        .startsWith(1, 1.5f, 2, 2.5f, 3, 3.5f, 4, 4.5f);
  }

  /** What is missing from the sum is all that such novices would add. */
  @ParameterizedTest
  @EnumSource
  void addsNothingForNovicesThatAreZero(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4);
    Replacement zero = Replacement.byNovices(Map.of(0, new float[4]));
    Model after =
        Rewriter.rewrite(
            Canonical.of(tiny.model()), List.of(tiny.block()), Map.of("experts", zero));

    assertThat(after.graph().initializers()).doesNotContainKey("mone.0/novices");
    assertThat(after.metadata().get("expert_substitution"))
        .contains("\"0\":{\"format\":\"zero-v1\",\"tensors\":{}}");
  }

  @ParameterizedTest
  @EnumSource
  void keepsTheNameOfAnOutputThatIsTheBlocksOwn(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4).with("=> (float[T, 4] y)", "=> (float[T, 4] routed)");
    Model after = rewritten(tiny, 0);

    assertThat(after.graph().outputs()).extracting(Value::name).containsExactly("routed");
    assertThat(run(after, tiny, "routed")).isNotEqualTo(run(tiny.model(), tiny, "routed"));
  }

  @ParameterizedTest
  @EnumSource
  void addsAsManyNodesForOneExpertAsForMany(Spelling spelling) {
    TinyMoe tiny = spelling.of(16, 2, 4);
    long one = added(rewritten(tiny, 3));

    assertThat(one).isPositive().isLessThan(40);
    assertThat(added(rewritten(tiny, 0, 15))).isEqualTo(one);
    assertThat(added(rewritten(tiny, IntStream.range(0, 15).toArray()))).isEqualTo(one);
  }

  private static long added(Model model) {
    return model.graph().nodes().stream()
        .filter(node -> node.output().startsWith("mone.") && !node.is("Constant"))
        .count();
  }

  @ParameterizedTest
  @EnumSource
  void leavesBlocksAloneThatNothingIsReplacedIn(Spelling spelling) {
    Model twice = spelling.of(3, 2, 4).twice();
    List<MoeBlock> blocks =
        new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(twice).graph()).blocks();
    Model rewritten =
        Rewriter.rewrite(Canonical.of(twice), blocks, Map.of("second/experts", replacement(4, 1)));

    assertThat(rewritten.graph().nodes())
        .containsAll(
            twice.graph().nodes().stream()
                .filter(node -> !node.output().startsWith("second/"))
                .toList());
    assertThat(rewritten.graph().producer("second/raw1")).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"GUARDED", "BRANCHED"})
  void keepsTheGuardsOfKeptExpertsOnly(Spelling spelling) {
    Graph after = rewritten(spelling.of(4, 2, 4), 1, 3).graph();

    assertThat(after.nodes().stream().filter(node -> node.is("If")))
        .extracting(Node::output)
        .containsExactly("routed1", "routed3");
    assertThat(after.producer("routed3").orElseThrow().reads()).contains("routed1", "up2");
    assertThat(after.initializers())
        .containsKeys("up0", "up2")
        .doesNotContainKeys("up1", "down1", "up3", "down3");
  }

  @Test
  void keepsALoopWithFewerRounds() {
    Graph after = rewritten(Spelling.ROUNDS.of(4, 2, 4), 1, 3).graph();
    Node loop = after.producer("routed").orElseThrow();

    assertThat(after.integers(loop.input(0))).contains(new long[] {2});
    assertThat(after.integers("id/ids")).contains(new long[] {0, 2});
    assertThat(after.initializers()).doesNotContainKeys("up", "down");
    assertThat(after.constant("up/kept").orElseThrow().dims()).containsExactly(2L, 4L, 5L);
  }

  @Test
  void dropsOperatorSetsThatNothingIsOfAnyMore() {
    TinyMoe tiny = Spelling.DYNAMO.of(3, 2, 4).with("act1 = Tanh (in1)", "act1 = local.Gelu (in1)");
    Model before = tiny.model().withOpsets(Map.of("", 18L, "local", 1L, "other", 1L));
    MoeBlock block = tiny.block();

    assertThat(
            Rewriter.rewrite(
                    Canonical.of(before), List.of(block), Map.of("experts", replacement(4, 0)))
                .opsets())
        .containsOnlyKeys("", "local");
    assertThat(
            Rewriter.rewrite(
                    Canonical.of(before), List.of(block), Map.of("experts", replacement(4, 1)))
                .opsets())
        .containsOnlyKeys("");
  }

  @ParameterizedTest
  @CsvSource({"NaN, FLOAT, NaN", "Infinity, FLOAT, Infinity", "70000, FLOAT16, Infinity"})
  void refusesANoviceThatIsNotFiniteInTheModel(float value, ElementType type, String found) {
    TinyMoe tiny = Spelling.SUMS.of(3, 2, 4);
    Map<String, Replacement> changes =
        Map.of(
            "experts",
            Replacement.byNovices(new TreeMap<>(Map.of(1, new float[] {0, 0, value, 0}))));

    assertThatThrownBy(
            () -> Rewriter.rewrite(Canonical.of(tiny.in(type)), List.of(tiny.block()), changes))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "block 'experts': the novice of expert 1 is %s in %s at position 2; expected a finite number"
                .formatted(found, type.text()));
  }
}
