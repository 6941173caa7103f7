package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.data.Batch;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.Ffn.Packed;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.NeuronCut;
import io.moneonnx.moe.RoundedMatrix;
import io.moneonnx.moe.Target;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.observe.NonFinite;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Measured;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code QMoE} with experts of 2, 4 and 8 bits: the operator says what random bytes mean, and the
 * rewritten one is to say the same. Scales are one for a row of a weight, or one for a block of it.
 */
final class QuantisedOperatorTest {
  private static final int EXPERTS = 8;
  private static final int WIDTH = 64;
  private static final List<Integer> KEPT = List.of(0, 2, 4, 5, 7);

  @TempDir private Path folder;

  /**
   * How experts are packed.
   *
   * @param block inputs for which there is one scale; 0 for all of a row
   */
  private record Packing(int bits, int block, boolean zeroPoints, boolean routerWeights) {
    private int scales() {
      return block == 0 ? 1 : WIDTH / block;
    }

    String text() {
      String scales = block == 0 ? "" : ", " + scales();
      String points =
          block == 0
              ? "float[8, %d] upZero, float[8, %d] downZero"
                  .formatted(2 * WIDTH * bits / 8, WIDTH * bits / 8)
              : "float[8, 128, %1$d] upZero, float[8, 64, %1$d] downZero"
                  .formatted((scales() * bits + 7) / 8);
      return """
          q (float[T, 64] x) => (float[T, 64] y)
          <float[8, 64] router, float[8, 128, $p] up, float[8, 64, $p] down, float[8, 128] upBias,
           float[8, 128$s] upScale, float[8, 64$s] downScale, float[8, 64] downBias, $points>
          {
            logits = Gemm <transB = 1> (x, router)
            weights = Sigmoid (logits)
            routed = com.microsoft.QMoE <k = 2, activation_type = "swiglu", swiglu_fusion = 1, swiglu_limit = 7.0,
                activation_alpha = 1.702, activation_beta = 1.0, normalize_routing_weights = $n,
                expert_weight_bits = $b$block> (x, logits, up, upScale, upBias, down, downScale, downBias, , , , $given, , $weights)
            y = Add (x, routed)
          }
          """
          .replace("$points", zeroPoints ? points : "float unused")
          .replace("$given", zeroPoints ? "upZero, downZero" : ", ")
          .replace("$weights", routerWeights ? "weights" : "")
          .replace("$block", block == 0 ? "" : ", block_size = " + block)
          .replace("$n", routerWeights ? "0" : "1")
          .replace("$p", Integer.toString(WIDTH * bits / 8))
          .replace("$s", scales)
          .replace("$b", Integer.toString(bits));
    }

    Model model() {
      Graph graph = GraphText.parse(text());
      Model model =
          new Model(graph, 8, Map.of("", 18L, "com.microsoft", 1L), Map.of(), UnknownFields.NONE);
      Random random = new Random(1);
      for (String name : List.of("up", "down", "upZero", "downZero")) {
        if (graph.initializers().containsKey(name)) {
          Tensor like = graph.initializers().get(name).tensor();
          byte[] bytes = new byte[(int) like.elements()];
          random.nextBytes(bytes);
          model =
              TinyMoe.withInitializer(
                  model,
                  name,
                  new Tensor.Inline(ElementType.UINT8, like.dims(), ByteBuffer.wrap(bytes)));
        }
      }
      for (String name : List.of("upScale", "downScale")) {
        Tensor like = graph.initializers().get(name).tensor();
        float[] scales = like.toFloats();
        for (int i = 0; i < scales.length; i++) {
          scales[i] = (0.5f + Math.abs(scales[i])) / (1 << bits) / 4;
        }
        model = TinyMoe.withInitializer(model, name, Tensor.of(like.dims(), scales));
      }
      return model;
    }
  }

  private static Map<String, Tensor> tokens(int count, long seed) {
    Random random = new Random(seed);
    float[] values = new float[count * WIDTH];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Map.of("x", Tensor.of(List.of((long) count, (long) WIDTH), values));
  }

  @ParameterizedTest
  @CsvSource({
    "2, 0, false, false",
    "2, 32, false, false",
    "2, 32, true, false",
    "4, 0, false, false",
    "4, 0, true, false",
    "4, 32, false, false",
    "4, 32, true, false",
    "8, 0, false, false",
    "8, 0, true, false",
    "8, 32, false, false",
    "8, 32, true, false",
    "4, 32, false, true",
  })
  void isObservedAndRewritten(int bits, int block, boolean zeroPoints, boolean routerWeights) {
    Model model = new Packing(bits, block, zeroPoints, routerWeights).model();
    List<MoeBlock> blocks =
        new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model).graph()).blocks();
    assertThat(blocks).hasSize(1);
    List<Map<String, Tensor>> feeds = List.of(tokens(30, 1), tokens(1, 2));
    Calibrator.Outcome outcome =
        new Calibrator(Canonical.of(model).model(), folder, blocks, RunOptions.cpu()).run(feeds);
    assertThat(outcome.disproved()).isEmpty();

    String name = blocks.get(0).name();
    TreeMap<Integer, float[]> novices = new TreeMap<>();
    for (int expert = 0; expert < EXPERTS; expert++) {
      if (!KEPT.contains(expert)) {
        novices.put(
            expert,
            novice(outcome.statistics().get(0).get(Statistic.MEAN).stream().toArray(), expert));
      }
    }
    Map<String, Replacement> replacements = Map.of(name, Replacement.byNovices(novices));
    Model rewritten = Rewriter.rewrite(Canonical.of(model), blocks, replacements);
    Path file = folder.resolve("rewritten.onnx");
    OnnxWriter.write(rewritten, file, Placement.INLINE);
    Verdict verdict =
        new Proof(Canonical.of(model).model(), folder, blocks, replacements, RunOptions.cpu())
            .of(file, feeds);

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    assertThat(kept(rewritten.graph()))
        .containsExactlyInAnyOrderElementsOf(
            blocks.get(0).weights().stream()
                .map(weight -> model.graph().constant(weight).orElseThrow().rows(KEPT))
                .toList());
  }

  @ParameterizedTest
  @CsvSource({
    "2, 0, false",
    "2, 16, true",
    "4, 0, false",
    "4, 0, true",
    "4, 32, false",
    "4, 16, true",
    "8, 0, true",
    "8, 32, true",
  })
  void isNarrowedByGroups(int bits, int block, boolean zeroPoints) {
    Model model = new Packing(bits, block, zeroPoints, false).model();
    List<MoeBlock> blocks =
        new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model).graph()).blocks();
    int group = Math.max(block, 8 / bits);
    Replacement kept = keeping(group, 0);
    Map<String, Replacement> asked = Map.of(blocks.get(0).name(), kept);
    Model narrowed = Rewriter.rewrite(Canonical.of(model), blocks, asked);
    Node before = operator(model);
    Node after = operator(narrowed);

    assertThat(prove(model, blocks, asked, narrowed).holds()).isTrue();
    for (int input : List.of(2, 3, 4, 5, 6, 11, 12)) {
      if (before.given(input).isPresent()) {
        long was = model.graph().constant(before.input(input)).orElseThrow().byteSize();
        long is = narrowed.graph().constant(after.input(input)).orElseThrow().byteSize();
        assertThat(is).isLessThanOrEqualTo(was);
        assertThat(input == 2 || input == 5 ? 2 * is : was).isEqualTo(was);
      }
    }
    Model others =
        Rewriter.rewrite(
            Canonical.of(model), blocks, Map.of(blocks.get(0).name(), keeping(group, 1)));
    for (int input : List.of(2, 3, 5, 6, 11, 12)) {
      boolean isCut =
          after.given(input).isPresent() && !after.input(input).equals(before.input(input));
      if (isCut) {
        Tensor wrong = others.graph().constant(operator(others).input(input)).orElseThrow();
        Model mutant = TinyMoe.withInitializer(narrowed, after.input(input), wrong);
        assertThat(prove(model, blocks, asked, mutant).holds()).as("input %d", input).isFalse();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "2, 16, true",
    "4, 0, false",
    "4, 0, true",
    "4, 32, false",
    "4, 16, true",
    "8, 0, true"
  })
  void isRoundedAgain(int bits, int block, boolean zeroPoints) {
    Model model = new Packing(bits, block, zeroPoints, false).model();
    List<MoeBlock> blocks =
        new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model).graph()).blocks();
    Map<String, Replacement> asked = rounded(model, blocks.get(0), bits, block, 1);
    Map<String, Replacement> others = rounded(model, blocks.get(0), bits, block, 2);

    Model right = Rewriter.rewrite(Canonical.of(model), blocks, asked);
    Verdict verdict = prove(model, blocks, asked, right);
    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    Model wrong = Rewriter.rewrite(Canonical.of(model), blocks, others);
    assertThat(prove(model, blocks, asked, wrong).holds()).isFalse();
  }

  /** Two of the experts are gone. */
  private static Map<String, Replacement> rounded(
      Model model, MoeBlock block, int bits, int size, long seed) {
    Random random = new Random(seed);
    TreeMap<Integer, NarrowExpert> narrow = new TreeMap<>();
    keeping(Math.max(size, 8 / bits), 0)
        .narrow()
        .forEach(
            (id, expert) -> {
              float[] down = new float[WIDTH * expert.width()];
              for (int i = 0; i < down.length; i++) {
                down[i] = (float) random.nextGaussian();
              }
              int[] kept = expert.neurons().stream().mapToInt(Integer::intValue).toArray();
              Graph graph = Canonical.of(model).graph();
              narrow.put(
                  id,
                  NarrowExpert.rounded(kept, RoundedMatrix.of(graph, block.ffn().get(0), down)));
            });
    TreeMap<Integer, float[]> novices = new TreeMap<>();
    for (int gone : List.of(2, 5)) {
      narrow.remove(gone);
      novices.put(gone, new float[WIDTH]);
    }
    return Map.of(block.name(), new Replacement(novices, narrow));
  }

  /** CUDA reads weights in an order of its own, unless the operator says that they are plain. */
  @Test
  void isNotCutWhereTheRuntimePacksInItsOwnOrder() {
    Model model = new Packing(4, 32, false, false).model();
    Graph graph = Canonical.of(model).graph();
    Node node = operator(model);
    Graph plain =
        graph.withNodes(
            graph.nodes().stream()
                .map(
                    each ->
                        each.output().equals(node.output())
                            ? each.withAttribute("weights_prepacked", Attribute.of(0))
                            : each)
                .toList());

    assertThat(packed(graph, Target.CPU)).isPresent();
    assertThat(packed(graph, Target.CUDA)).isEmpty();
    assertThat(packed(plain, Target.CUDA)).isPresent();
    MoeBlock block = new MoeFinder(Forms.all(Target.CUDA)).find(graph).blocks().get(0);
    TreeMap<Integer, NarrowExpert> one = new TreeMap<>();
    for (int expert = 0; expert < EXPERTS; expert++) {
      one.put(expert, new NarrowExpert(new int[1], new float[WIDTH]));
    }
    assertThat(NeuronCut.of(graph, block).objection(one))
        .hasValueSatisfying(reason -> assertThat(reason).contains("is stored as uint8"));
  }

  private static Optional<Packed> packed(Graph graph, Target target) {
    MoeBlock block = new MoeFinder(Forms.all(target)).find(graph).blocks().get(0);
    return block.ffn().get(0).down().packed();
  }

  /** Half of the groups of each expert, by turns. */
  private static Replacement keeping(int group, int from) {
    TreeMap<Integer, NarrowExpert> narrow = new TreeMap<>();
    for (int expert = 0; expert < EXPERTS; expert++) {
      int parity = (expert + from) % 2;
      narrow.put(
          expert,
          new NarrowExpert(
              IntStream.range(0, WIDTH).filter(i -> i / group % 2 == parity).toArray()));
    }
    return Replacement.byNarrow(narrow);
  }

  private static Node operator(Model model) {
    return model.graph().nodes().stream()
        .filter(node -> node.opType().equals("QMoE"))
        .findFirst()
        .orElseThrow();
  }

  private Verdict prove(
      Model model, List<MoeBlock> blocks, Map<String, Replacement> asked, Model written) {
    Path file = folder.resolve("narrow.onnx");
    OnnxWriter.write(written, file, Placement.INLINE);
    return new Proof(Canonical.of(model).model(), folder, blocks, asked, RunOptions.cpu())
        .of(file, List.of(tokens(30, 1), tokens(1, 2)));
  }

  /** Activations are computed of the packed weights, and checked against the operator's outputs. */
  @ParameterizedTest
  @CsvSource({
    "2, 0, false",
    "2, 16, true",
    "4, 0, false",
    "4, 0, true",
    "4, 32, false",
    "4, 32, true",
    "8, 0, true",
    "8, 32, true",
  })
  void hasMoments(int bits, int block, boolean zeroPoints) {
    Model model = new Packing(bits, block, zeroPoints, false).model();
    List<MoeBlock> blocks =
        new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model).graph()).blocks();
    Calibrator calibrator =
        new Calibrator(
            Canonical.of(model).model(), folder, blocks, RunOptions.cpu(), Detail.MOMENTS);
    Measured found;
    try (Calibrator.Pass pass = calibrator.begin(NonFinite.STOP, 0)) {
      found = pass.add(Measured.NOTHING, Batch.of(tokens(30, 1)));
    }
    BlockStatistics measured = found.statistics().get(0);

    assertThat(found.unprovedMoments()).isEmpty();
    assertThat(measured.all().detail()).isEqualTo(Detail.MOMENTS);
    assertThat(measured.get(Statistic.M).stream().max().orElseThrow()).isPositive();
  }

  private static float[] novice(double[] means, int expert) {
    float[] novice = new float[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
      novice[i] = (float) means[expert * WIDTH + i];
    }
    return novice;
  }

  private static List<Tensor> kept(Graph graph) {
    List<Tensor> kept = new ArrayList<>();
    graph
        .initializers()
        .forEach(
            (name, constant) -> {
              if (name.contains("/kept")) {
                kept.add(constant.tensor());
              }
            });
    return kept;
  }
}
