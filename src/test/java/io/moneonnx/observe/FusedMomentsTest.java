package io.moneonnx.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.data.Batch;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.Activations;
import io.moneonnx.moe.Claim;
import io.moneonnx.moe.Layout;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Rows;
import io.moneonnx.moe.Target;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Checkpoint;
import io.moneonnx.profile.CheckpointFile;
import io.moneonnx.profile.Measured;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Moments of what the down projections inside a fused operator read. */
final class FusedMomentsTest {
  private static final int TOKENS = 40;
  private static final int HIDDEN = 4;
  private static final int INNER = 5;
  private static final int EXPERTS = 4;

  @TempDir private Path folder;

  /** What the experts of an operator compute, in double precision. */
  private enum Kind {
    RELU(PLAIN, "\"relu\"") {
      @Override
      double of(double g, double u) {
        return Math.max(g, 0);
      }
    },
    GELU(BIASED, "\"gelu\"") {
      @Override
      double of(double g, double u) {
        return g / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (g + 0.044715 * g * g * g)));
      }
    },
    SILU(BIASED, "\"silu\"") {
      @Override
      double of(double g, double u) {
        return silu(g, 1);
      }
    },
    IDENTITY(BIASED, "\"identity\"") {
      @Override
      double of(double g, double u) {
        return g;
      }
    },
    GATED_SILU(GATED, "\"silu\"") {
      @Override
      double of(double g, double u) {
        return silu(g, 1) * u;
      }
    },
    SWIGLU_APART(GATED, "\"swiglu\"") {
      @Override
      double of(double g, double u) {
        return silu(g, 1) * u;
      }
    },
    INTERLEAVED(BIASED, "\"swiglu\", swiglu_fusion = 1") {
      @Override
      double of(double g, double u) {
        return silu(g, 1) * u;
      }
    },
    INTERLEAVED_LIMITED(BIASED, "\"swiglu\", swiglu_fusion = 1" + LIMITED) {
      @Override
      double of(double g, double u) {
        return limited(g, u);
      }
    },
    CONCATENATED_LIMITED(BIASED, "\"swiglu\", swiglu_fusion = 2" + LIMITED) {
      @Override
      double of(double g, double u) {
        return limited(g, u);
      }
    };

    private final String inputs;
    private final String attributes;

    Kind(String inputs, String attributes) {
      this.inputs = inputs;
      this.attributes = attributes;
    }

    abstract double of(double g, double u);

    private static double silu(double x, double alpha) {
      return x / (1 + Math.exp(-alpha * x));
    }

    private static double limited(double g, double u) {
      return silu(Math.min(g, 0.5), 1.702) * (Math.max(-0.5, Math.min(u, 0.5)) + 1);
    }

    private boolean isFused() {
      return attributes.contains("swiglu_fusion");
    }

    TinyMoe tiny() {
      TinyMoe tiny = Spelling.FUSED.of(EXPERTS, 2, HIDDEN);
      String up = isFused() ? "float[4, 10, 4] up, float[4, 10] upBias" : UP;
      return tiny.with("\"relu\"", attributes)
          .with("up, , down)", inputs)
          .with(
              "float[4, 5, 4] up,",
              up + ", float[4, 5, 4] third, float[4, 5] thirdBias, float[4, 4] downBias,");
    }

    /** What the down projection of an expert reads for a token. */
    double[] activations(Graph graph, int expert, double... x) {
      boolean isInterleaved = attributes.contains("fusion = 1");
      double[] first = projected(graph, "up", !inputs.equals(PLAIN), expert, x);
      double[] third = projected(graph, "third", true, expert, x);
      double[] a = new double[INNER];
      for (int i = 0; i < INNER; i++) {
        double g = first[isInterleaved ? 2 * i : i];
        a[i] = of(g, !isFused() ? third[i] : first[isInterleaved ? 2 * i + 1 : INNER + i]);
      }
      return a;
    }
  }

  private static final String UP = "float[4, 5, 4] up, float[4, 5] upBias";
  private static final String PLAIN = "up, , down)";
  private static final String BIASED = "up, upBias, down, downBias)";
  private static final String GATED = "up, upBias, down, downBias, third, thirdBias)";
  private static final String LIMITED =
      ", swiglu_limit = 0.5, activation_alpha = 1.702, activation_beta = 1.0";

  private static double[] projected(
      Graph graph, String weight, boolean isBiased, int expert, double... x) {
    Map<String, Initializer> constants = graph.initializers();
    Tensor all = constants.get(weight).tensor();
    float[] weights = all.toFloats();
    int width = all.dims().get(1).intValue();
    double[] product = new double[width];
    for (int i = 0; i < width; i++) {
      product[i] =
          isBiased ? constants.get(weight + "Bias").tensor().toFloats()[expert * width + i] : 0;
      for (int h = 0; h < HIDDEN; h++) {
        product[i] += x[h] * weights[(expert * width + i) * HIDDEN + h];
      }
    }
    return product;
  }

  private static double[] token(Tensor x, int token) {
    float[] all = x.toFloats();
    return IntStream.range(0, HIDDEN).mapToDouble(h -> all[token * HIDDEN + h]).toArray();
  }

  /** Also where ONNX Runtime's CPU does not run the operator. */
  @ParameterizedTest
  @EnumSource
  void activationsAreWhatTheOperatorsDocumentationSays(Kind kind) {
    TinyMoe tiny = kind.tiny();
    Tensor x = tiny.tokens(TOKENS, 1);
    Model model = Canonical.of(tiny.model()).model();
    GraphEdit edit = new GraphEdit(model);
    Ops ops = new Ops(edit, "test");
    Activations activations = tiny.block().activations(ops).orElseThrow();
    long[] slots = LongStream.range(0, TOKENS).map(token -> 2 * token + 1).toArray();
    String value = activations.of(ops, ops.vector(3), ops.vector(slots));
    edit.addOutput(Value.untyped(value, ElementType.FLOAT));
    Graph whole = edit.apply().graph();
    Graph alone =
        DeadCode.remove(whole.withOutputs(List.of(Value.untyped(value, ElementType.FLOAT))));

    double[] found =
        doubles(
            TinyMoe.run(model.withGraph(alone), Map.of("x", x), Set.of(value))
                .get(value)
                .toFloats());
    double[] expected =
        IntStream.range(0, TOKENS)
            .mapToObj(token -> kind.activations(tiny.graph(), 3, token(x, token)))
            .flatMapToDouble(Arrays::stream)
            .toArray();
    assertClose(found, expected, 1e-5);
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"GATED_SILU", "SWIGLU_APART", "CONCATENATED_LIMITED"})
  void areSumsOverTheTokensOfEachExpert(Kind kind) {
    TinyMoe tiny = kind.tiny();
    List<Tensor> xs = List.of(tiny.tokens(TOKENS, 1), tiny.tokens(3, 2));

    BlockStatistics found = measured(tiny.model(), tiny.block(), xs);

    assertThat(found.all().detail()).isEqualTo(Detail.MOMENTS);
    assertMoments(found, kind, tiny.graph(), xs, 1e-5);
  }

  @ParameterizedTest
  @EnumSource(names = {"RELU", "INTERLEAVED_LIMITED"})
  void areThoseOfHalfPrecision(Kind kind) {
    TinyMoe tiny = kind.tiny();
    Model half = tiny.in(ElementType.FLOAT16);
    float[] values = tiny.tokens(TOKENS, 1).toFloats();
    Tensor x = Tensor.of(ElementType.FLOAT16, List.of((long) TOKENS, (long) HIDDEN), values);
    MoeBlock block =
        new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(half).graph()).blocks().get(0);

    BlockStatistics found = measured(half, block, List.of(x));

    assertThat(found.all().detail()).isEqualTo(Detail.MOMENTS);
    assertMoments(found, kind, half.graph(), List.of(x), 5e-3);
  }

  @Test
  void areThoseOfTheSameExpertsInOperatorsThatShowThem() {
    TinyMoe tiny = Spelling.FUSED.of(6, 2, HIDDEN);
    List<Tensor> xs = List.of(tiny.tokens(TOKENS, 1));
    Model shown = tiny.shown();
    MoeBlock unrolled =
        new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(shown).graph()).blocks().get(0);

    BlockStatistics fused = measured(tiny.model(), tiny.block(), xs);
    BlockStatistics other = measured(shown, unrolled, xs);

    assertThat(unrolled.form()).isNotEqualTo(tiny.block().form());
    for (Statistic statistic : List.of(Statistic.S, Statistic.M, Statistic.H2)) {
      assertClose(
          fused.get(statistic).stream().toArray(), other.get(statistic).stream().toArray(), 1e-5);
    }
  }

  /** An operator that computes something else than is known of it, for large tokens. */
  @Test
  void areDroppedWhereTheyAreNotWhatTheOperatorReads() {
    TinyMoe tiny = Kind.RELU.tiny();
    MoeBlock block = limited(tiny.block());
    float[] values = tiny.tokens(TOKENS, 1).toFloats();
    for (int i = 0; i < values.length; i++) {
      values[i] *= 0.01f;
    }
    Calibrator calibrator = calibrator(tiny.model(), block);
    Measured first;
    Measured both;
    Measured all;
    try (Calibrator.Pass pass = calibrator.begin(NonFinite.STOP, 0)) {
      Tensor small = Tensor.of(List.of((long) TOKENS, (long) HIDDEN), values);
      first = pass.add(Measured.NOTHING, Batch.of(Map.of("x", small)));
      both = pass.add(first, Batch.of(Map.of("x", tiny.tokens(TOKENS, 1))));
      all = pass.add(both, Batch.of(Map.of("x", small)));
    }

    assertThat(first.statistics().get(0).all().detail()).isEqualTo(Detail.MOMENTS);
    assertThat(first.unprovedMoments()).isEmpty();
    assertThat(both.statistics().get(0).all().detail()).isEqualTo(Detail.FULL);
    assertThat(both.unprovedMoments().get(block.name()))
        .matches("computed from .* would read, a row is off by .* expected 1e-04 relative");
    assertThat(all.statistics().get(0).tokens()).isEqualTo(3L * TOKENS);
    assertThat(all.statistics().get(0).all().detail()).isEqualTo(Detail.FULL);
    assertThat(all.disproved()).isEmpty();
    Path file = folder.resolve("out.partial");
    CheckpointFile.write(new Checkpoint(Map.of(), all), file);
    assertThat(CheckpointFile.read(file).measured().unprovedMoments())
        .isEqualTo(both.unprovedMoments());
  }

  /** The block with activations that are at most 0.2. */
  private static MoeBlock limited(MoeBlock block) {
    Claim claim = block.claim();
    Layout layout =
        new Layout() {
          @Override
          public Rows rows(Ops ops) {
            return claim.layout().rows(ops);
          }

          @Override
          public Optional<Activations> recomputed(Ops ops) {
            return claim
                .layout()
                .recomputed(ops)
                .map(
                    real ->
                        new Wrong(
                            (Activations.Recomputed) real, a -> ops.min(a, ops.scalar(0.2f))));
          }

          @Override
          public void remove(Ops ops, Set<Integer> experts) {
            throw new UnsupportedOperationException("this layout is only measured");
          }
        };
    return new MoeBlock(
        block.name(),
        block.form(),
        block.precision(),
        new Claim(
            claim.routing(),
            claim.routingWeights(),
            claim.output(),
            claim.weights(),
            claim.owners(),
            claim.expertBytes(),
            claim.ffn(),
            layout));
  }

  private record Wrong(Activations.Recomputed real, UnaryOperator<String> change)
      implements Activations.Recomputed {
    @Override
    public Optional<String> slots() {
      return real.slots();
    }

    @Override
    public String of(Ops ops, String expert, String rows) {
      return change.apply(real.of(ops, expert, rows));
    }

    @Override
    public String outputs(Ops ops, String expert, String activations) {
      return real.outputs(ops, expert, activations);
    }
  }

  private static Calibrator calibrator(Model model, MoeBlock block) {
    return new Calibrator(
        Canonical.of(model).model(), Path.of(""), List.of(block), RunOptions.cpu(), Detail.MOMENTS);
  }

  private static BlockStatistics measured(Model model, MoeBlock block, List<Tensor> xs) {
    return calibrator(model, block)
        .run(xs.stream().map(x -> Map.of("x", x)).toList())
        .statistics()
        .get(0);
  }

  private static void assertMoments(
      BlockStatistics found, Kind kind, Graph graph, List<Tensor> xs, double tolerance) {
    double[] sums = new double[EXPERTS * INNER];
    double[] moments = new double[EXPERTS * INNER * (INNER + 1) / 2];
    for (Tensor x : xs) {
      for (int token = 0; token < x.dims().get(0); token++) {
        add(kind, graph, sums, moments, token(x, token));
      }
    }
    assertClose(found.get(Statistic.S).stream().toArray(), sums, tolerance);
    assertClose(found.get(Statistic.M).stream().toArray(), moments, tolerance);
  }

  /** A token goes to the two experts of the largest scores, in shares of their softmax. */
  private static void add(Kind kind, Graph graph, double[] sums, double[] moments, double... x) {
    float[] router = graph.initializers().get("router").tensor().toFloats();
    double[] scores = new double[EXPERTS];
    for (int i = 0; i < EXPERTS * HIDDEN; i++) {
      scores[i / HIDDEN] += x[i % HIDDEN] * router[i];
    }
    List<Integer> chosen =
        IntStream.range(0, EXPERTS)
            .boxed()
            .sorted(Comparator.comparingDouble(expert -> -scores[expert]))
            .limit(2)
            .toList();
    double total = chosen.stream().mapToDouble(expert -> Math.exp(scores[expert])).sum();
    for (int expert : chosen) {
      double gate = Math.exp(scores[expert]) / total;
      double[] a = kind.activations(graph, expert, x);
      int at = expert * INNER * (INNER + 1) / 2;
      for (int i = 0; i < INNER; i++) {
        sums[expert * INNER + i] += gate * gate * a[i];
        for (int j = 0; j <= i; j++) {
          moments[at++] += gate * gate * a[i] * a[j];
        }
      }
    }
  }

  private static double[] doubles(float... values) {
    return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
  }

  private static void assertClose(double[] found, double[] expected, double tolerance) {
    double largest = DoubleStream.of(expected).map(Math::abs).max().orElseThrow();
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < found.length; i++) {
      assertThat(found[i])
          .as("element %d", i)
          .isCloseTo(expected[i], within(tolerance * Math.max(1, largest)));
    }
  }
}
