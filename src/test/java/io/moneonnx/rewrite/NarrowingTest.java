package io.moneonnx.rewrite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.NarrowMoe;
import io.moneonnx.NarrowMoe.Body;
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
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.Target;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Experts that lose neurons: the weights that are left of them, and nothing else. */
final class NarrowingTest {
  @TempDir private Path folder;

  private static Model narrowed(TinyMoe tiny, Replacement narrowing) {
    return narrowed(tiny.model(), narrowing);
  }

  private static Model narrowed(Model model, Replacement narrowing) {
    return Rewriter.rewrite(Canonical.of(model), blocks(model), Map.of("experts", narrowing));
  }

  private static List<MoeBlock> blocks(Model model) {
    return new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model).graph()).blocks();
  }

  private static Replacement narrowing(TinyMoe tiny) {
    return NarrowMoe.narrowing(tiny.block(), NarrowMoe.kept());
  }

  private static List<String> lines(Graph graph) {
    return graph.toString().lines().map(line -> line.strip().replaceAll("^<|,$|>$", "")).toList();
  }

  private static List<String> lines(Graph of, Graph notOf) {
    List<String> others = lines(notOf);
    return lines(of).stream().filter(line -> !others.contains(line)).toList();
  }

  @Test
  void shrinksWeightsAndLeavesNodesAsTheyAre() {
    TinyMoe tiny = Spelling.DYNAMO.of(4, 2, 4);
    Graph after = narrowed(tiny, narrowing(tiny)).graph();

    assertThat(lines(after, tiny.graph()))
        .map(line -> line.replaceAll(" = \\{.*", ""))
        .containsExactlyInAnyOrder(
            "float[3, 4] mone.0/kept",
            "float[4, 3] mone.0/down",
            "float[1, 4] mone.0/kept_1",
            "float[4, 1] mone.0/down_1",
            "float[4, 5] mone.0/down_2",
            "in0 = Gemm <transB = 1> (rows0, mone.0/kept)",
            "raw0 = Gemm <transB = 1> (act0, mone.0/down)",
            "in1 = Gemm <transB = 1> (rows1, mone.0/kept_1)",
            "raw1 = Gemm <transB = 1> (act1, mone.0/down_1)",
            "raw3 = Gemm <transB = 1> (act3, mone.0/down_2)");
    assertThat(after.initializers()).doesNotContainKeys("up0", "down0", "up1", "down1", "down3");
    assertThat(after.constant("mone.0/kept"))
        .contains(tiny.graph().constant("up0").orElseThrow().rows(List.of(0, 2, 3)));
    assertThat(after.constant("up3")).isEqualTo(tiny.graph().constant("up3"));
  }

  @ParameterizedTest
  @CsvSource({
    "CONCATENATED, 0 2 3 5 7 8, 4 9",
    "SLICED, 0 2 3 5 7 8, 4 9",
    "INTERLEAVED, 0 1 4 5 6 7, 8 9",
    "PICKED, 0 1 4 5 6 7, 8 9",
  })
  void cutsGatesAndUpsAlike(Body body, String first, String second) {
    TinyMoe tiny = body.of(Spelling.DYNAMO);
    Graph after = narrowed(tiny, narrowing(tiny)).graph();

    List<String> expected = List.of(first, second);
    for (int expert = 0; expert < 2; expert++) {
      List<Integer> channels =
          List.of(expected.get(expert).split(" ")).stream().map(Integer::valueOf).toList();
      Tensor up = tiny.graph().constant("up" + expert).orElseThrow();
      Tensor bias = tiny.graph().constant("upBias" + expert).orElseThrow();
      assertThat(after.initializers().values())
          .extracting(Initializer::tensor)
          .contains(up.rows(channels), bias.rows(channels));
    }
    assertThat(after.initializers()).containsKeys("downBias0", "downBias1");
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"GATHERED", "GATHERED_FOR_TOKENS", "FUSED", "STACKED", "GROUPED", "ROUNDS"})
  void keepsTheNodesOfEverySpelling(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 4);
    Graph after = narrowed(tiny, narrowing(tiny)).graph();

    assertThat(operators(after)).isEqualTo(operators(tiny.graph()));
  }

  private static List<String> operators(Graph graph) {
    return graph.nodes().stream().map(Node::opType).toList();
  }

  /** Six neurons go, of four numbers in and four out each, and their gates and biases. */
  @ParameterizedTest
  @CsvSource({"PLAIN, 6, 8", "GATED, 6, 12", "CONCATENATED, 6, 15", "INTERLEAVED, 6, 15"})
  void shrinksTheModelByItsNeurons(Body body, int neurons, int numbers) {
    for (Spelling spelling :
        List.of(Spelling.TORCHSCRIPT, Spelling.DYNAMO, Spelling.SORTED, Spelling.PICKED)) {
      TinyMoe tiny = body.of(spelling);
      Graph after = narrowed(tiny, narrowing(tiny)).graph();

      assertThat(floats(tiny.graph()) - floats(after)).isEqualTo((long) neurons * numbers);
    }
  }

  private static long floats(Graph graph) {
    return graph.initializers().values().stream()
        .map(Initializer::tensor)
        .filter(tensor -> tensor.type() == ElementType.FLOAT)
        .mapToLong(Tensor::elements)
        .sum();
  }

  /** Nothing is cut out of experts of full width, but they may have another down projection. */
  @ParameterizedTest
  @EnumSource
  void givesWholeExpertsTheirDownProjection(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 4);
    MoeBlock block = tiny.block();
    Replacement other = NarrowMoe.narrowing(block, NarrowMoe.whole(block));
    Model whole = narrowed(tiny, other);

    assertThat(floats(whole.graph())).isEqualTo(floats(tiny.graph()));
    assertThat(NarrowMoe.verdict(tiny, other, whole, folder).holds()).isTrue();
    assertThat(NarrowMoe.verdict(tiny, other, tiny.model(), folder).holds()).isFalse();
  }

  @Test
  void saysTheWidthsInItsMetadata() {
    TinyMoe tiny = Spelling.DYNAMO.of(4, 2, 4);
    Model after = narrowed(tiny, narrowing(tiny));

    assertThat(after.metadata().get("expert_substitution"))
        .contains("\"widths\":{\"0\":3,\"1\":1,\"3\":5}");
    Provenance.Gone said = Provenance.gone(after).orElseThrow().get("experts");
    assertThat(said.all()).isEmpty();
    assertThat(said.widths()).isEqualTo(Map.of(0, 3, 1, 1, 3, 5));
  }

  @Test
  void cutsPartsOfOneConstantEachForItself() {
    Map<Integer, int[]> kept = Map.of(1, new int[] {0, 2, 3}, 2, new int[] {4});
    TinyMoe tiny = Spelling.ROUNDS.of(4, 2, 4);
    Graph after = narrowed(tiny, NarrowMoe.narrowing(tiny.block(), kept)).graph();

    assertThat(floats(tiny.graph()) - floats(after)).isEqualTo(6 * 8);
  }

  private static String refusal(TinyMoe tiny, Map<Integer, int[]> kept) {
    Replacement narrowing = NarrowMoe.narrowing(tiny.block(), kept);
    List<String> reasons = new ArrayList<>();
    assertThatThrownBy(() -> narrowed(tiny, narrowing))
        .isInstanceOf(BadInputException.class)
        .satisfies(thrown -> reasons.add(thrown.getMessage()));
    return reasons.get(0).replaceFirst("block 'experts': its experts cannot be narrowed: ", "");
  }

  @Test
  void refusesSeveralWidthsOfExpertsWhoseRowsAreJoined() {
    TinyMoe tiny = Spelling.GROUPED.of(4, 2, 4);
    Map<Integer, int[]> kept = new HashMap<>(NarrowMoe.alike());
    kept.put(2, new int[] {1, 2, 3, 4});

    assertThat(refusal(tiny, kept))
        .isEqualTo(
            "its experts share one width: expected 3 of expert 2, as of expert 0, found 4; slices of"
                + " its experts cannot be computed apart");
    kept.remove(2);
    assertThat(refusal(tiny, kept))
        .isEqualTo(
            "its experts share one width: expected neurons of each, found none of expert 2; slices of"
                + " its experts cannot be computed apart");
  }

  @ParameterizedTest
  @EnumSource(names = {"GATHERED", "STACKED", "FUSED"})
  void shrinksStacksAndLeavesNodesAsTheyAre(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 4);
    Replacement narrowing = NarrowMoe.narrowing(tiny.block(), NarrowMoe.alike());
    Graph after = narrowed(tiny, narrowing).graph();
    Tensor up = tiny.graph().constant("up").orElseThrow();
    int axis = up.dims().indexOf(5L);
    List<List<Integer>> kept =
        narrowing.narrow().values().stream().map(NarrowExpert::neurons).toList();

    assertThat(operators(after)).isEqualTo(operators(tiny.graph()));
    assertThat(after.constant("mone.0/kept"))
        .contains(up.alongEach(0, List.of(0, 1, 2, 3), axis, kept));
    assertThat(floats(tiny.graph()) - floats(after)).isEqualTo(4 * 2 * 8);
    assertThat(after.initializers()).doesNotContainKeys("up", "down");
  }

  /** Every expert has a part of the joined rows, and a matrix of its own in place of its slice. */
  @Test
  void cutsStacksThatAreCutApartIntoMatrices() {
    TinyMoe tiny = Spelling.GROUPED.of(4, 2, 4);
    Graph after = narrowed(tiny, NarrowMoe.narrowing(tiny.block(), NarrowMoe.alike())).graph();

    assertThat(floats(tiny.graph()) - floats(after)).isEqualTo(4 * 2 * 8);
    assertThat(after.initializers()).doesNotContainKeys("up", "down");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "STACKED | act = Tanh (in) | scaled0 = Mul (in, fives) act = Tanh (scaled0)"
            + " | Mul 'Mul -> scaled0' reads 'fives', which has channels that all experts share",
        "STACKED | act = Tanh (in) | back = Transpose <perm = [0, 2, 1]> (in) tanh = Tanh (back)"
            + " act = Transpose <perm = [0, 2, 1]> (tanh)"
            + " | neurons are not known to stay apart in Transpose 'Transpose -> back'",
        "GATHERED | act = Tanh (in) | size = Shape (in) rows0 = Slice (size, zero, one, zero)"
            + " flat0 = Concat <axis = 0> (rows0, five, one) out0 = Reshape (in, flat0)"
            + " act = Tanh (out0) | Concat 'Concat -> flat0' joins channels of different kinds",
      })
  void refusesStacksInWhichNeuronsAreNotFollowed(
      Spelling spelling, String from, String to, String reason) {
    TinyMoe tiny =
        spelling
            .of(4, 2, 4)
            .with(from, to)
            .with("int64[1] k =", "float[5] fives, int64[1] five = {5}, int64[1] k =");

    assertThat(refusal(tiny, NarrowMoe.alike())).startsWith(reason);
  }

  @Test
  void refusesActivationsThatExpertsShare() {
    TinyMoe shared =
        Spelling.COLUMNS
            .of(4, 2, 4)
            .with("raw1 = Gemm <transB = 1> (act1", "raw1 = Gemm <transB = 1> (act0");
    assertThat(refusal(shared, NarrowMoe.kept()))
        .isEqualTo("expert 0: what is between its projections is read by Gemm 'Gemm -> raw1' too");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "act0 = Tanh (in0) | turned0 = Transpose <perm = [1, 0]> (in0) tanh0 = Tanh (turned0) act0"
            + " = Transpose <perm = [1, 0]> (tanh0) | neurons are not known to stay apart in",
        "act0 = Tanh (in0) | all0 = Reshape (in0, last) out0 = Reshape (all0, rows5) act0 = Tanh"
            + " (out0) | neurons are not known to stay apart in",
      })
  void refusesNodesInWhichNeuronsAreNotFollowed(String from, String to, String reason) {
    TinyMoe tiny =
        Spelling.DYNAMO
            .of(4, 2, 4)
            .with(from, to)
            .with("int64[1] k =", "int64[2] rows5 = {-1, 5}, int64[1] k =");

    assertThat(refusal(tiny, NarrowMoe.kept())).startsWith("expert 0: " + reason);
  }

  @Test
  void letsShapesThatNameTheWidthFollow() {
    TinyMoe tiny =
        Spelling.DYNAMO
            .of(4, 2, 4)
            .with("act0 = Tanh (in0)", "out0 = Reshape (in0, rows5) act0 = Tanh (out0)")
            .with("int64[1] k =", "int64[2] rows5 = {-1, 5}, int64[1] k =");

    assertThat(lines(narrowed(tiny, narrowing(tiny)).graph(), tiny.graph()))
        .contains("int64[2] mone.0/ints = {-1, 3}", "out0 = Reshape (in0, mone.0/ints)");
  }

  @Test
  void refusesWeightsThatAreQuantised() {
    TinyMoe tiny =
        Spelling.DYNAMO
            .of(4, 2, 4)
            .with("float[5, 4] up0", "int8[5, 4] stored0, float step0 = {0.1}")
            .with("  in0 =", "  up0 = DequantizeLinear (stored0, step0)\n  in0 =");

    assertThat(refusal(tiny, NarrowMoe.kept()))
        .isEqualTo(
            "expert 0: the weight 'up0' is quantised: it is made by DequantizeLinear"
                + " 'DequantizeLinear -> up0'");
  }

  @Test
  void refusesNumbersThatAreNotFiniteAsTheyAreStored() {
    Model model = Spelling.SORTED.of(4, 2, 4).in(ElementType.FLOAT16);
    NarrowExpert far = new NarrowExpert(new int[] {1}, new float[] {1, 7e4f, 0, 0});

    assertThatThrownBy(() -> narrowed(model, Replacement.byNarrow(new TreeMap<>(Map.of(2, far)))))
        .hasMessage(
            "block 'experts': expert 2: its down projection holds Infinity in float16, expected"
                + " finite numbers");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "4 | 0 | 4 | it has no expert 4 of 4",
        "1 | 5 | 4 | expert 1: it has no neuron 5 of 5",
        "1 | 2 | 3 | expert 1: its down projection has 3 rows, expected 4",
      })
  void refusesWhatTheBlockDoesNotHave(int expert, int neuron, int hidden, String reason) {
    NarrowExpert narrow = new NarrowExpert(new int[] {neuron}, new float[hidden]);
    Replacement narrowing = Replacement.byNarrow(new TreeMap<>(Map.of(expert, narrow)));

    assertThatThrownBy(() -> narrowed(Spelling.DYNAMO.of(4, 2, 4), narrowing))
        .isInstanceOf(BadInputException.class)
        .hasMessageEndingWith("cannot be narrowed: " + reason);
  }

  @Test
  void neuronsAreAscending() {
    assertThatThrownBy(() -> new NarrowExpert(new int[] {2, 1}, new float[8]))
        .hasMessage("neurons are not ascending: [2, 1]");
  }
}
