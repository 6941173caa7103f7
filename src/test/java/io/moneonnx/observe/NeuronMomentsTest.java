package io.moneonnx.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.data.Batch;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Target;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Measured;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Moments of inner activations against their definition, computed of the weights themselves. */
final class NeuronMomentsTest {
  private static final int TOKENS = 40;

  private static BlockStatistics measured(TinyMoe tiny, List<Map<String, Tensor>> feeds) {
    return new Calibrator(
            Canonical.of(tiny.model()).model(),
            Path.of(""),
            List.of(tiny.block()),
            RunOptions.cpu(),
            Detail.MOMENTS)
        .run(feeds)
        .statistics()
        .get(0);
  }

  @ParameterizedTest
  @EnumSource(names = "FUSED", mode = EnumSource.Mode.EXCLUDE)
  void areSumsOverTheTokensOfEachExpert(Spelling spelling) {
    TinyMoe tiny = spelling.of(5, 2, 4);
    List<Map<String, Tensor>> feeds =
        List.of(Map.of("x", tiny.tokens(TOKENS, 1)), Map.of("x", tiny.tokens(3, 2)));

    BlockStatistics found = measured(tiny, feeds);

    Expected expected = new Expected(tiny);
    feeds.forEach(expected::add);
    assertThat(found.all().detail()).isEqualTo(Detail.MOMENTS);
    assertThat(found.header().inner()).isEqualTo(5);
    assertThat(found.get(Statistic.H2, 0))
        .isCloseTo(expected.stream, within(1e-5 * expected.stream));
    assertClose(found.get(Statistic.S).stream().toArray(), expected.sums);
    assertClose(found.get(Statistic.M).stream().toArray(), expected.moments);
  }

  @Test
  void blocksMeasuredInPassesOfTheirOwnAreMeasuredTheSame() {
    Model model = Canonical.of(Spelling.DYNAMO.of(5, 2, 4).twice()).model();
    List<MoeBlock> blocks = new MoeFinder(Forms.all(Target.CPU)).find(model.graph()).blocks();
    List<Batch> batches =
        IntStream.range(0, 3)
            .mapToObj(i -> Batch.of(Map.of("x", Spelling.DYNAMO.of(5, 2, 4).tokens(9, i))))
            .toList();

    Measured together = pass(model, blocks, Measured.NOTHING, batches, 0);
    Measured first = pass(model, blocks.subList(0, 1), Measured.NOTHING, batches, 0);
    Measured both = pass(model, blocks.subList(1, 2), first, batches, 3);

    assertThat(blocks).hasSize(2);
    assertThat(both.batches()).isEqualTo(6);
    assertThat(both.statistics()).isEqualTo(together.statistics());
  }

  private static Measured pass(
      Model model, List<MoeBlock> blocks, Measured before, List<Batch> batches, long runs) {
    Calibrator calibrator =
        new Calibrator(model, Path.of(""), blocks, RunOptions.cpu(), Detail.MOMENTS);
    Measured measured = before;
    try (Calibrator.Pass pass = calibrator.begin(NonFinite.STOP, runs)) {
      for (Batch batch : batches) {
        measured = pass.add(measured, batch);
      }
    }
    return measured;
  }

  private static void assertClose(double[] found, double... expected) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < found.length; i++) {
      assertThat(found[i]).as("element %d", i).isCloseTo(expected[i], within(1e-5));
    }
  }

  /** In double precision, from what the router chose and the weights of the experts. */
  private static final class Expected {
    private final TinyMoe tiny;
    private final int inner;
    private final double[] sums;
    private final double[] moments;
    private double stream;

    Expected(TinyMoe tiny) {
      this.tiny = tiny;
      this.inner = tiny.hidden() + 1;
      this.sums = new double[tiny.experts() * inner];
      this.moments = new double[tiny.experts() * inner * (inner + 1) / 2];
    }

    void add(Map<String, Tensor> feeds) {
      Map<String, Tensor> run =
          TinyMoe.run(tiny.shown(), feeds, List.of("experts", "gates", "routed"));
      float[] x = feeds.get("x").toFloats();
      float[] routed = run.get("routed").toFloats();
      for (int i = 0; i < x.length; i++) {
        stream += Math.pow((double) x[i] + routed[i], 2);
      }
      long[] experts = run.get("experts").toLongs();
      float[] gates = run.get("gates").toFloats();
      for (int slot = 0; slot < experts.length; slot++) {
        add(
            (int) experts[slot],
            gates[slot],
            activations((int) experts[slot], x, slot / tiny.topK()));
      }
    }

    private void add(int expert, double gate, double... a) {
      int at = expert * inner * (inner + 1) / 2;
      for (int i = 0; i < inner; i++) {
        sums[expert * inner + i] += gate * gate * a[i];
        for (int j = 0; j <= i; j++) {
          moments[at++] += gate * gate * a[i] * a[j];
        }
      }
    }

    private double[] activations(int expert, float[] x, int token) {
      double[] a = new double[inner];
      for (int i = 0; i < inner; i++) {
        for (int h = 0; h < tiny.hidden(); h++) {
          a[i] += x[token * tiny.hidden() + h] * up(expert, h, i);
        }
        a[i] = Math.tanh(a[i]);
      }
      return a;
    }

    /** The weight is {@code [hidden, inner]} or {@code [inner, hidden]}, of one expert or all. */
    private double up(int expert, int h, int i) {
      Map<String, Initializer> constants = tiny.graph().initializers();
      boolean isStacked = constants.containsKey("up");
      Tensor up = constants.get(isStacked ? "up" : "up" + expert).tensor();
      int first = isStacked ? 1 : 0;
      int from = isStacked ? expert * tiny.hidden() * inner : 0;
      return up.toFloats()[
          from + (up.dims().get(first) == tiny.hidden() ? h * inner + i : i * tiny.hidden() + h)];
    }
  }
}
