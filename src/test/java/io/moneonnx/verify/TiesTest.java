package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Target;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.profile.Statistic;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Routers with equal scores for several experts: who is chosen is a matter of ids, and all that is
 * counted, rewritten and proved follows the operator that runs.
 */
final class TiesTest {
  private static final int EXPERTS = 6;
  private static final int TOP_K = 2;

  /** Which row of the router each expert has: three have one, two have another. */
  private static final List<Integer> ROWS = List.of(0, 0, 1, 0, 1, 2);

  /** One of those that tie, and one that does not. */
  private static final Set<Integer> PRUNED = Set.of(1, 5);

  @TempDir private Path folder;

  private static TinyMoe tied(Spelling spelling, int hidden, List<Integer> rows, long seed) {
    Random random = new Random(seed);
    float[][] distinct = new float[rows.size()][hidden];
    for (float[] row : distinct) {
      for (int i = 0; i < hidden; i++) {
        row[i] = (float) random.nextGaussian();
      }
    }
    return spelling
        .of(rows.size(), TOP_K, hidden)
        .withRouter(rows.stream().map(row -> distinct[row]).toArray(float[][]::new));
  }

  private static TinyMoe tied(Spelling spelling) {
    return tied(spelling, 4, ROWS, 1);
  }

  private static boolean isFused(Spelling spelling) {
    return spelling.name().startsWith("FUSED");
  }

  private static List<MoeBlock> blocks(Model model) {
    return new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model).graph()).blocks();
  }

  private Calibrator.Outcome observe(Model model, Tensor x) {
    return new Calibrator(Canonical.of(model).model(), folder, blocks(model), RunOptions.cpu())
        .run(List.of(Map.of("x", x)));
  }

  private Model rewritten(Model model, Change change) {
    List<MoeBlock> blocks = blocks(model);
    return Rewriter.rewrite(Canonical.of(model), blocks, Map.of(blocks.get(0).name(), change));
  }

  private Verdict prove(Model model, Change change, Tensor x) {
    List<MoeBlock> blocks = blocks(model);
    Path file = folder.resolve("rewritten.onnx");
    OnnxWriter.write(rewritten(model, change), file, Placement.INLINE);
    return new Proof(
            Canonical.of(model).model(),
            folder,
            blocks,
            Map.of(blocks.get(0).name(), change),
            RunOptions.cpu())
        .of(file, List.of(Map.of("x", x)));
  }

  private static Replacement novices(int hidden) {
    TreeMap<Integer, float[]> novices = new TreeMap<>();
    PRUNED.forEach(
        expert -> {
          float[] novice = new float[hidden];
          Arrays.fill(novice, 2 + expert);
          novices.put(expert, novice);
        });
    return Replacement.byNovices(novices);
  }

  /** Whom each token chooses, by scores of the same run. */
  private static List<Set<Integer>> chosen(float[] scores, boolean isHigherFirst) {
    List<Set<Integer>> chosen = new ArrayList<>();
    for (int start = 0; start < scores.length; start += EXPERTS) {
      int first = start;
      Comparator<Integer> byScore = Comparator.comparingDouble(expert -> -scores[first + expert]);
      Comparator<Integer> byId = Comparator.naturalOrder();
      List<Integer> order =
          IntStream.range(0, EXPERTS)
              .boxed()
              .sorted(byScore.thenComparing(isHigherFirst ? byId.reversed() : byId))
              .toList();
      chosen.add(new TreeSet<>(order.subList(0, TOP_K)));
    }
    return chosen;
  }

  private static List<Set<Integer>> chosen(Model model, Tensor x, boolean isHigherFirst) {
    float[] scores = TinyMoe.run(model, Map.of("x", x), List.of("logits")).get("logits").toFloats();
    return chosen(scores, isHigherFirst);
  }

  private static float[] routed(Model model, Tensor x) {
    return TinyMoe.run(model, Map.of("x", x), List.of("y")).get("y").toFloats();
  }

  /** Counts are those of the runtime, and novices stand in where it chooses who is pruned. */
  private void holds(Model model, Tensor x, boolean isHigherFirst, float exactly) {
    List<Set<Integer>> chosen = chosen(model, x, isHigherFirst);
    assertThat(chosen(model, x, !isHigherFirst)).as("ties decide").isNotEqualTo(chosen);

    Calibrator.Outcome outcome = observe(model, x);
    assertThat(outcome.disproved()).isEmpty();
    for (int expert = 0; expert < EXPERTS; expert++) {
      int id = expert;
      assertThat(outcome.statistics().get(0).get(Statistic.N).count(expert))
          .as("expert " + expert)
          .isEqualTo(chosen.stream().filter(ids -> ids.contains(id)).count());
    }

    int width = x.dims().get(1).intValue();
    float[] before = routed(model, x);
    float[] after = routed(rewritten(model, novices(width)), x);
    for (int token = 0; token < chosen.size(); token++) {
      float apart = 0;
      for (int i = token * width; i < (token + 1) * width; i++) {
        apart = Math.max(apart, Math.abs(before[i] - after[i]));
      }
      boolean isTouched = chosen.get(token).stream().anyMatch(PRUNED::contains);
      assertThat(apart > exactly).as("token " + token).isEqualTo(isTouched);
    }

    Verdict kept = prove(model, novices(width), x);
    assertThat(kept.reasons()).isEmpty();
    assertThat(kept.flips()).isEmpty();
    Verdict cut = prove(model, new Removal(new TreeSet<>(PRUNED)), x);
    assertThat(cut.reasons()).isEmpty();
    assertThat(cut.flips()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void followTheOperatorThatRuns(Spelling spelling) {
    TinyMoe tied = tied(spelling);

    holds(tied.model(), tied.tokens(60, 3), isFused(spelling), 1e-5f);
  }

  static Stream<Spelling> half() {
    return PrecisionTest.run();
  }

  @Tag("exhaustive")
  @ParameterizedTest
  @MethodSource("half")
  void followTheOperatorThatRunsInHalfPrecision(Spelling spelling) {
    TinyMoe tied = tied(spelling);
    Tensor x = tied.tokens(60, 3);

    holds(
        tied.in(ElementType.FLOAT16),
        Tensor.of(ElementType.FLOAT16, x.dims(), x.toFloats()),
        isFused(spelling),
        2e-2f);
  }

  /** The routing weights of the operator are then no shares of those that it chose. */
  @Test
  void followAnOperatorThatDoesNotRenormalise() {
    TinyMoe tied =
        tied(Spelling.FUSED).with("normalize_routing_weights = 1", "normalize_routing_weights = 0");

    holds(tied.model(), tied.tokens(60, 3), true, 1e-5f);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "FLOAT16"})
  void followPackedExperts(ElementType type) {
    Tensor x = Spelling.FUSED.of(EXPERTS, TOP_K, 32).tokens(60, 3);

    holds(packed(type), Tensor.of(type, x.dims(), x.toFloats()), true, 2e-2f);
  }

  /** {@code QMoE} of 4 bits. */
  private static Model packed(ElementType type) {
    Graph graph =
        GraphText.parse(
            """
            q (float[T, 32] x) => (float[T, 32] y)
            <float[6, 32] router, uint8[6, 32, 16] up, float[6, 32] upScale,
             uint8[6, 32, 16] down, float[6, 32] downScale>
            {
              logits = Gemm <transB = 1> (x, router)
              routed = com.microsoft.QMoE <k = 2, activation_type = "relu", normalize_routing_weights = 1,
                  expert_weight_bits = 4> (x, logits, up, upScale, , down, downScale)
              y = Add (x, routed)
            }
            """
                .replace("float[", type.text() + "["));
    Model model =
        new Model(graph, 8, Map.of("", 18L, "com.microsoft", 1L), Map.of(), UnknownFields.NONE);
    Random random = new Random(1);
    for (String name : List.of("up", "down")) {
      byte[] bytes = new byte[6 * 32 * 16];
      random.nextBytes(bytes);
      Tensor weight =
          new Tensor.Inline(ElementType.UINT8, List.of(6L, 32L, 16L), ByteBuffer.wrap(bytes));
      float[] scales = new float[6 * 32];
      Arrays.fill(scales, 0.02f);
      model = TinyMoe.withInitializer(model, name, weight);
      model =
          TinyMoe.withInitializer(model, name + "Scale", Tensor.of(type, List.of(6L, 32L), scales));
    }
    float[] router = new float[6 * 32];
    for (int expert = 0; expert < EXPERTS; expert++) {
      Random row = new Random(ROWS.get(expert));
      for (int i = 0; i < 32; i++) {
        router[expert * 32 + i] = (float) row.nextGaussian() / 4;
      }
    }
    return TinyMoe.withInitializer(model, "router", Tensor.of(type, List.of(6L, 32L), router));
  }

  /** Pairs of experts are chosen first, and the pairs tie as well. */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = "FUSED.*")
  void acrossGroupsAreProved(Spelling spelling) {
    TinyMoe tied = tied(spelling, 4, List.of(0, 1, 0, 1, 1, 0, 2, 2), 1).inPairs();
    Tensor x = tied.tokens(60, 3);

    assertThat(observe(tied.model(), x).disproved()).isEmpty();
    assertThat(prove(tied.model(), novices(4), x).reasons()).isEmpty();
    assertThat(prove(tied.model(), new Removal(new TreeSet<>(Set.of(2, 3))), x).reasons())
        .isEmpty();
  }

  /** What only rounding in a softmax tells is left out of the comparison, and all else is not. */
  @Test
  void nearTiesDoNotRefuseABlock() {
    float[][] rows = new float[EXPERTS][4];
    for (int expert = 0; expert < EXPERTS; expert++) {
      rows[expert][0] = 1 + expert * 1e-7f;
      rows[expert][1] = expert;
    }
    TinyMoe near = Spelling.FUSED.of(EXPERTS, TOP_K, 4).withRouter(rows);
    float[] x = near.tokens(60, 3).toFloats();
    for (int token = 0; token < 60; token += 2) {
      x[4 * token + 1] = 0;
    }

    assertThat(observe(near.model(), Tensor.of(List.of(60L, 4L), x)).disproved()).isEmpty();
  }
}
