package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataSource;
import io.moneonnx.data.PassageOptions;
import io.moneonnx.eval.Perplexity;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.Target;
import io.moneonnx.narrow.DamageCurve;
import io.moneonnx.narrow.DownMatrix;
import io.moneonnx.narrow.ModelCurves;
import io.moneonnx.narrow.Moments;
import io.moneonnx.narrow.Refit;
import io.moneonnx.narrow.RemovalOrder;
import io.moneonnx.plan.Weighting;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.Proof;
import io.moneonnx.verify.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Trained models whose experts are narrowed by one byte budget over the whole model lose as little
 * as was measured in PyTorch: the increase in nats, mean of two domains.
 */
@Tag("exhaustive")
final class TrainedNarrowTest {
  private static final int STEP = 4;

  @TempDir private Path folder;

  private Path model;
  private LoadedModel subject;
  private Profile profile;

  @ParameterizedTest
  @CsvSource({
    "olmoe, 0.0068, 0.001, 0.0570, 0.003, 0.259, 0.01",
    "qwen3, 0.0009, 0.0004, 0.0106, 0.001, 0.0566, 0.004"
  })
  void loseAsLittleAsWasMeasured(
      String name,
      double quarter,
      double offQuarter,
      double half,
      double offHalf,
      double most,
      double offMost)
      throws IOException {
    check(name + "/loop.onnx", quarter, offQuarter, half, offHalf, most, offMost);
  }

  /**
   * Experts whose weights are stacked share the width of their block. In PyTorch olmoe lost .0996
   * and .384 at 50 and 75%, and qwen3 .0710 at 75%: a little more than here.
   */
  @ParameterizedTest
  @CsvSource({
    "olmoe, 0.0203, 0.002, 0.0945, 0.003, 0.332, 0.01",
    "qwen3, 0.0015, 0.0005, 0.0125, 0.0015, 0.0655, 0.004"
  })
  void loseAsLittleAsWasMeasuredWithOneWidthPerBlock(
      String name,
      double quarter,
      double offQuarter,
      double half,
      double offHalf,
      double most,
      double offMost)
      throws IOException {
    check(name + "/stacked.onnx", quarter, offQuarter, half, offHalf, most, offMost);
  }

  private void check(
      String name,
      double quarter,
      double offQuarter,
      double half,
      double offHalf,
      double most,
      double offMost)
      throws IOException {
    String trained = System.getProperty("trained", "");
    assumeFalse(trained.isEmpty(), "no trained models given");
    model = Path.of(trained, name);
    Path tokens = Path.of(trained, "tokens");
    subject = LoadedModel.open(model, Target.CPU);
    profile = profile(tokens);
    List<List<RemovalOrder>> orders = new ArrayList<>();
    for (MoeBlock block : subject.blocks()) {
      orders.add(
          IntStream.range(0, block.experts())
              .mapToObj(expert -> RemovalOrder.of(moments(block, expert), down(block, expert)))
              .toList());
    }
    ModelCurves curves = curves(orders);
    double before = loss(model, tokens);

    assertThat(loss(narrowed(orders, curves, 0.25), tokens) - before)
        .isCloseTo(quarter, within(offQuarter));
    assertThat(loss(narrowed(orders, curves, 0.5), tokens) - before)
        .isCloseTo(half, within(offHalf));
    assertThat(loss(narrowed(orders, curves, 0.75), tokens) - before)
        .isCloseTo(most, within(offMost));
  }

  private Profile profile(Path tokens) {
    CalibrationOptions reading =
        new CalibrationOptions(
            OptionalInt.empty(),
            OptionalInt.of(256),
            OptionalInt.empty(),
            "text",
            Optional.empty());
    return new Calibrate(subject, RunOptions.cpu(), new Silence())
        .run(
            new DataRequest(sources(tokens, ".calib.npz"), reading).withMoments(),
            Checkpoints.NONE);
  }

  private static List<DataSource> sources(Path tokens, String kind) {
    return Stream.of("A", "B")
        .map(tag -> new DataSource(Optional.of(tag), tokens.resolve(tag + kind)))
        .toList();
  }

  private BlockStatistics statistics(MoeBlock block) {
    return profile.block(block.name()).orElseThrow();
  }

  private Moments moments(MoeBlock block, int expert) {
    int size = Moments.size(block.inner());
    double[] all = statistics(block).get(Statistic.M).stream().toArray();
    return Moments.of(block.inner(), Arrays.copyOfRange(all, expert * size, (expert + 1) * size));
  }

  private static boolean isStacked(MoeBlock block) {
    return block.ffn().size() == 1;
  }

  private DownMatrix down(MoeBlock block, int expert) {
    Graph graph = subject.model().graph();
    Ffn ffn = block.ffn().get(isStacked(block) ? 0 : expert);
    String weight = ffn.down().weight();
    Tensor own =
        isStacked(block)
            ? graph
                .constant(graph.producer(weight).orElseThrow().input(0))
                .orElseThrow()
                .rows(List.of(expert))
            : graph.constant(weight).orElseThrow();
    boolean isInByOut = ffn.down().in() < ffn.down().out();
    float[] stored = own.toFloats();
    float[] matrix = new float[stored.length];
    for (int i = 0; i < matrix.length; i++) {
      int row = i / ffn.inner();
      int neuron = i % ffn.inner();
      matrix[i] = isInByOut ? stored[neuron * ffn.hidden() + row] : stored[i];
    }
    return DownMatrix.of(ffn.hidden(), ffn.inner(), matrix);
  }

  private ModelCurves curves(List<List<RemovalOrder>> orders) {
    List<List<DamageCurve>> curves = new ArrayList<>();
    for (int i = 0; i < orders.size(); i++) {
      BlockStatistics found = statistics(subject.blocks().get(i));
      int experts = found.experts();
      double energy = found.get(Statistic.H2, 0) / found.tokens();
      long[] calls = IntStream.range(0, experts).mapToLong(found.get(Statistic.N)::count).toArray();
      double[] weights = Weighting.BALANCED.of(found.tokens(), energy, calls);
      long neuron = 3L * Float.BYTES * found.hidden();
      List<RemovalOrder> own = orders.get(i);
      curves.add(
          IntStream.range(0, experts)
              .mapToObj(e -> DamageCurve.of(own.get(e), STEP, neuron, weights[e]))
              .toList());
    }
    ModelCurves all = new ModelCurves(curves);
    return isStacked(subject.blocks().get(0)) ? all.uniform() : all;
  }

  /** A file of a model with so much less of the experts' bytes, which its oracle proves. */
  private Path narrowed(List<List<RemovalOrder>> orders, ModelCurves curves, double less)
      throws IOException {
    ModelCurves.Widths widths = curves.model((long) (curves.bytes() * (1 - less)));
    Map<String, Replacement> changes = new HashMap<>();
    for (int i = 0; i < orders.size(); i++) {
      MoeBlock block = subject.blocks().get(i);
      TreeMap<Integer, NarrowExpert> narrow = new TreeMap<>();
      for (int expert = 0; expert < block.experts(); expert++) {
        int width = widths.blocks().get(i).get(isStacked(block) ? 0 : expert).width();
        narrow.put(expert, narrow(block, expert, orders.get(i).get(expert), width));
      }
      changes.put(block.name(), Replacement.byNarrow(narrow));
    }
    Path file = folder.resolve(less + ".onnx");
    OnnxWriter.write(
        Rewriter.rewrite(subject.read().canonical(), subject.blocks(), changes),
        file,
        Placement.INLINE);
    assertThat((double) Files.size(model) - Files.size(file))
        .isCloseTo(less * curves.bytes(), within(0.001 * curves.bytes() + 20_000));
    List<Map<String, Tensor>> feeds = TrialFeeds.of(subject, Optional.empty(), "").proof();
    Verdict verdict =
        new Proof(subject.model(), subject.folder(), subject.blocks(), changes, RunOptions.cpu())
            .of(file, feeds);
    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    return file;
  }

  /** One without neurons has one of no effect. */
  private NarrowExpert narrow(MoeBlock block, int expert, RemovalOrder order, int width) {
    if (width == 0) {
      return new NarrowExpert(new int[1], new float[block.hidden()]);
    }
    int[] kept = order.kept(width);
    return new NarrowExpert(
        kept, Refit.of(moments(block, expert), down(block, expert), kept).toFloats());
  }

  private static double loss(Path file, Path tokens) {
    return new MeasurePerplexity(RunOptions.cpu(), new Silence())
            .run(
                new MeasurePerplexity.Request(
                    file,
                    sources(tokens, ".test24.npz"),
                    new PassageOptions(
                        CalibrationOptions.DEFAULT, OptionalInt.empty(), Optional.empty())))
            .sources()
            .values()
            .stream()
            .mapToDouble(Perplexity::perToken)
            .map(Math::log)
            .average()
            .orElseThrow();
  }
}
