package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.moneonnx.TinyMoe;
import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataSource;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Target;
import io.moneonnx.moe.Weight;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Ratio;
import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.golden.Golden;
import io.moneonnx.verify.golden.GoldenCheck;
import io.moneonnx.verify.golden.GoldenFile;
import io.moneonnx.verify.golden.Tolerance;
import io.moneonnx.verify.golden.WatchedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Golden outputs see the down projection of any one expert times 1.01, and do not see another
 * number of threads.
 */
final class EveryExpertSeenTest {
  private static final Path OLMOE = Path.of("models", "olmoe-tiny", "model.onnx");
  private static final Path HELD_OUT = OLMOE.resolveSibling("heldout.txt");
  private static final float FACTOR = 1.01f;
  private static final String DOWN = "down_proj";

  /** One expert of each layer. 1 tries every expert, which takes minutes. */
  private static final int A_LAYER = 21;

  private static final int FIFTH = 5;

  @TempDir private Path folder;

  /**
   * Where one expert's down projection is.
   *
   * @param rows of the leading axis that are the expert's
   */
  private record Place(String initializer, int from, int rows) {}

  @Test
  void ofEachLayerOfASmallModel() throws IOException {
    assertThat(seen(OLMOE, HELD_OUT, A_LAYER)).isEqualTo(64);
  }

  @Tag("exhaustive")
  @Test
  void ofASmallModel() throws IOException {
    assertThat(seen(OLMOE, HELD_OUT, FIFTH)).isEqualTo(64);
  }

  @Tag("exhaustive")
  @Test
  void ofTheSameModelPrunedByHalf() throws IOException {
    Path pruned = folder.resolve("pruned.onnx");
    prune(pruned);

    assertThat(seen(pruned, HELD_OUT, FIFTH)).isEqualTo(32);
  }

  @Tag("exhaustive")
  @ParameterizedTest
  @ValueSource(strings = {"olmoe/loop.onnx", "qwen3/stacked.onnx"})
  void ofTrainedModels(String name) throws IOException {
    String trained = System.getProperty("trained", "");
    assumeFalse(trained.isEmpty());

    assertThat(seen(Path.of(trained, name), Path.of(trained, "tokens", "A.test24.npz"), FIFTH))
        .isEqualTo(64);
  }

  private static void prune(Path pruned) throws IOException {
    CalibrationOptions few =
        new CalibrationOptions(
            OptionalInt.empty(),
            OptionalInt.of(8),
            OptionalInt.empty(),
            Optional.empty(),
            Optional.empty());
    new Prune(threads(1), new Silence())
        .run(
            new Prune.Request(
                OLMOE,
                Target.CPU,
                Optional.of(pruned),
                Optional.empty(),
                new DataRequest(List.of(), few),
                new Prune.Choice.Planned(Goal.of(Criteria.DEFAULT, Ratio.parse("0.5"))),
                Optional.empty(),
                false,
                false,
                OptionalInt.empty(),
                List.of()));
  }

  /** How many experts there are, of which each one that is scaled is seen. */
  private int seen(Path file, Path data, int step) throws IOException {
    Path recorded = folder.resolve("golden.onnxgold");
    CalibrationOptions reading =
        new CalibrationOptions(
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            Optional.empty(),
            Optional.of(OLMOE.resolveSibling("tokenizer.json")));
    new RecordGolden(threads(1), new Silence())
        .run(
            new RecordGolden.Request(
                file,
                Target.CPU,
                new DataRequest(DataSource.untagged(List.of(data)), reading),
                recorded,
                true));
    Golden golden = GoldenFile.read(recorded);
    LoadedModel subject = LoadedModel.open(file, Target.CPU);
    assertThat(holds(golden, subject, subject.model(), 2)).isTrue();
    List<Place> experts = experts(subject.model().graph(), subject.blocks());
    for (int i = 0; i < experts.size(); i += step) {
      Model scaled = scaled(subject.model(), experts.get(i));
      assertThat(holds(golden, subject, scaled, 1)).as(experts.get(i).toString()).isFalse();
    }
    return experts.size();
  }

  private static RunOptions threads(int threads) {
    return new RunOptions(new Device.Cpu(), threads, notice -> {});
  }

  /** Whether all runs hold; stops at the first that does not. */
  private static boolean holds(Golden golden, LoadedModel subject, Model model, int threads) {
    try (WatchedModel watched =
        WatchedModel.open(
            "scaled", model, subject.folder(), subject.findings().routings(), threads(threads))) {
      GoldenCheck check = new GoldenCheck(golden, watched, Tolerance.DEFAULT);
      return IntStream.range(0, golden.runs().size())
          .allMatch(
              run -> {
                check.add(run);
                return check.report().holds();
              });
    }
  }

  /** In loops by the names of their nodes, in stacks by their shape. */
  private static List<Place> experts(Graph graph, List<MoeBlock> blocks) {
    List<Place> places = new ArrayList<>();
    for (Node node : graph.nodes()) {
      if (node.is("MatMul") && node.name().contains(DOWN)) {
        String weight = Weight.behind(graph, node.input(1)).orElseThrow().initializer();
        places.add(new Place(weight, 0, rows(graph, weight)));
      }
    }
    for (MoeBlock block : blocks) {
      block.weights().stream()
          .filter(weight -> isStackedDown(graph, weight, block.hidden()))
          .flatMap(
              weight ->
                  IntStream.range(0, rows(graph, weight))
                      .mapToObj(row -> new Place(weight, row, 1)))
          .forEach(places::add);
    }
    return places;
  }

  private static int rows(Graph graph, String weight) {
    return graph.constant(weight).orElseThrow().dims().get(0).intValue();
  }

  private static boolean isStackedDown(Graph graph, String weight, int hidden) {
    List<Long> dims = graph.constant(weight).orElseThrow().dims();
    return dims.size() == 3 && dims.get(1) == hidden;
  }

  private static Model scaled(Model model, Place place) {
    Tensor weight = model.graph().constant(place.initializer()).orElseThrow();
    float[] values = weight.toFloats();
    int row = values.length / weight.dims().get(0).intValue();
    for (int i = place.from() * row; i < (place.from() + place.rows()) * row; i++) {
      values[i] *= FACTOR;
    }
    return TinyMoe.withInitializer(
        model, place.initializer(), Tensor.of(weight.type(), weight.dims(), values));
  }
}
