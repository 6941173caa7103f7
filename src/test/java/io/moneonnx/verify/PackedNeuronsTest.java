package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.QuantisedMoe;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.RoundedMatrix;
import io.moneonnx.moe.Target;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Experts in {@code MatMulNBits} that lose whole groups of 16 of their 64 neurons. */
final class PackedNeuronsTest {
  private static final int HIDDEN = 63;
  private static final int GROUP = 16;
  private static final Map<Integer, List<Integer>> KEPT =
      Map.of(0, List.of(0, 2, 3), 1, List.of(1), 3, List.of(0, 1, 2, 3));

  @TempDir private Path folder;

  private static Model model(Spelling spelling, int bits) {
    return QuantisedMoe.packed(spelling.of(4, 2, HIDDEN).model(), bits);
  }

  private static List<MoeBlock> blocks(Model model) {
    return new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model).graph()).blocks();
  }

  private static Replacement keeping(Map<Integer, List<Integer>> groups) {
    TreeMap<Integer, NarrowExpert> narrow = new TreeMap<>();
    groups.forEach((expert, kept) -> narrow.put(expert, new NarrowExpert(neurons(kept))));
    return Replacement.byNarrow(narrow);
  }

  private static int[] neurons(List<Integer> groups) {
    return groups.stream()
        .flatMapToInt(group -> IntStream.range(group * GROUP, (group + 1) * GROUP))
        .toArray();
  }

  private static Model narrowed(Model model, Replacement change) {
    return Rewriter.rewrite(
        Canonical.of(model), blocks(model), Map.of(blocks(model).get(0).name(), change));
  }

  private Verdict prove(Model model, Replacement asked, Model written) {
    Path file = folder.resolve("narrow.onnx");
    OnnxWriter.write(written, file, Placement.INLINE);
    TinyMoe any = Spelling.DYNAMO.of(4, 2, HIDDEN);
    List<MoeBlock> blocks = blocks(model);
    return new Proof(
            Canonical.of(model).model(),
            folder,
            blocks,
            Map.of(blocks.get(0).name(), asked),
            RunOptions.cpu())
        .of(file, List.of(Map.of("x", any.tokens(30, 1)), Map.of("x", any.tokens(1, 2))));
  }

  @ParameterizedTest
  @CsvSource({"DYNAMO, 4", "DYNAMO, 8", "BUFFER, 4", "COLUMNS, 4"})
  void keepTheirBytes(Spelling spelling, int bits) {
    Model model = model(spelling, bits);
    Model narrowed = narrowed(model, keeping(KEPT));
    Verdict verdict = prove(model, keeping(KEPT), narrowed);

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    Node up = product(narrowed.graph(), 48, "N");
    Node down = product(narrowed.graph(), 48, "K");
    assertThat(tensor(narrowed.graph(), up, 1))
        .isEqualTo(tensor(model.graph(), "up0_q").rows(ints(neurons(List.of(0, 2, 3)))));
    assertThat(tensor(narrowed.graph(), down, 1))
        .isEqualTo(tensor(model.graph(), "down0_q").along(1, List.of(0, 2, 3)));
    assertThat(tensor(narrowed.graph(), down, 3).dims())
        .containsExactly(HIDDEN * ((3L * bits + 7) / 8));
  }

  /** Another matrix than the original's, in the original's bits and blocks. */
  private static Replacement rounded(Model model, long seed) {
    Random random = new Random(seed);
    TreeMap<Integer, NarrowExpert> narrow = new TreeMap<>();
    KEPT.forEach(
        (expert, groups) -> {
          float[] down = new float[HIDDEN * groups.size() * GROUP];
          for (int i = 0; i < down.length; i++) {
            down[i] = 0.1f * (float) random.nextGaussian();
          }
          Graph graph = Canonical.of(model).graph();
          RoundedMatrix matrix =
              RoundedMatrix.of(graph, blocks(model).get(0).ffn().get(expert), down);
          assertThat(matrix.toFloats()).containsExactly(down, within(0.05f));
          narrow.put(expert, NarrowExpert.rounded(neurons(groups), matrix));
        });
    return Replacement.byNarrow(narrow);
  }

  @ParameterizedTest
  @CsvSource({"DYNAMO, 4", "DYNAMO, 8", "BUFFER, 4"})
  void holdWhereTheyAreRoundedAgain(Spelling spelling, int bits) {
    Model model = model(spelling, bits);
    Replacement asked = rounded(model, 1);
    Verdict right = prove(model, asked, narrowed(model, asked));
    Verdict wrong = prove(model, asked, narrowed(model, rounded(model, 2)));
    Verdict cut = prove(model, asked, narrowed(model, keeping(KEPT)));

    assertThat(right.holds()).as(right.text()).isTrue();
    assertThat(wrong.holds()).isFalse();
    assertThat(cut.holds()).isFalse();
  }

  private static List<Integer> ints(int... numbers) {
    return IntStream.of(numbers).boxed().toList();
  }

  private static Node product(Graph graph, int size, String attribute) {
    return graph.nodes().stream()
        .filter(node -> node.opType().equals("MatMulNBits"))
        .filter(node -> node.intAttribute(attribute, 0) == size)
        .findFirst()
        .orElseThrow();
  }

  private static Tensor tensor(Graph graph, String name) {
    return graph.constant(name).orElseThrow();
  }

  private static Tensor tensor(Graph graph, Node node, int input) {
    return tensor(graph, node.input(input));
  }

  /** Of which the integers, the scales or the zero points are another group's. */
  @ParameterizedTest
  @CsvSource({"N, 1", "N, 2", "N, 3", "K, 1", "K, 2", "K, 3"})
  void areFoundWrongWhereAnInputIsAnotherGroups(String attribute, int input) {
    Model model = model(Spelling.DYNAMO, 4);
    Model right = narrowed(model, keeping(KEPT));
    Map<Integer, List<Integer>> others = new TreeMap<>(KEPT);
    others.put(0, List.of(0, 1, 3));
    Model other = narrowed(model, keeping(others));
    String name = product(right.graph(), 48, attribute).input(input);
    Tensor wrong = tensor(other.graph(), product(other.graph(), 48, attribute), input);
    assertThat(wrong.dims()).isEqualTo(tensor(right.graph(), name).dims());
    Verdict verdict = prove(model, keeping(KEPT), TinyMoe.withInitializer(right, name, wrong));

    assertThat(verdict.holds()).as(verdict.text()).isFalse();
    assertThat(verdict.worstBlock()).isGreaterThan(1e-3);
  }

  @Test
  void areFoundWrongWhereOtherGroupsWereKept() {
    Model model = model(Spelling.DYNAMO, 4);
    Map<Integer, List<Integer>> others = new TreeMap<>(KEPT);
    others.put(1, List.of(2));

    assertThat(prove(model, keeping(KEPT), narrowed(model, keeping(others))).holds()).isFalse();
  }

  @Test
  void areRefusedInPartsOfGroups() {
    Model model = model(Spelling.DYNAMO, 4);
    NarrowExpert part = new NarrowExpert(IntStream.range(0, 40).toArray());

    assertThatThrownBy(() -> narrowed(model, Replacement.byNarrow(Map.of(2, part))))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining(
            "expert 2: its down projection is quantised in groups of 16 neurons, expected whole ones,"
                + " found a part of group 2");
  }

  @Test
  void areRefusedWithAnotherMatrix() {
    Model model = model(Spelling.DYNAMO, 4);
    NarrowExpert refitted = new NarrowExpert(neurons(List.of(1)), new float[HIDDEN * GROUP]);

    assertThatThrownBy(() -> narrowed(model, Replacement.byNarrow(Map.of(2, refitted))))
        .hasMessageContaining("its down projection is quantised, and is not re-fitted");
  }

  /** 17 neurons in groups of 16. */
  @Test
  void areRefusedWhereGroupsAreNotWhole() {
    Model model = QuantisedMoe.packed(Spelling.DYNAMO.of(4, 2, 16).model(), 4);

    assertThatThrownBy(() -> narrowed(model, keeping(Map.of(2, List.of(0)))))
        .hasMessageContaining(
            "is quantised in groups of 16: expected whole groups, found 17 neurons");
  }

  @Test
  void areRefusedWhereTheRuntimePacksInItsOwnOrder() {
    Model plain = model(Spelling.DYNAMO, 4);
    List<Node> nodes =
        plain.graph().nodes().stream()
            .map(
                node ->
                    node.opType().equals("MatMulNBits")
                        ? node.withAttribute("weights_prepacked", Attribute.of(1))
                        : node)
            .toList();
    Model model = plain.withGraph(plain.graph().withNodes(nodes));

    NarrowExpert one = new NarrowExpert(new int[] {0}, new float[HIDDEN]);
    assertThatThrownBy(() -> narrowed(model, Replacement.byNarrow(Map.of(2, one))))
        .hasMessageContaining("is stored as uint8");
  }
}
