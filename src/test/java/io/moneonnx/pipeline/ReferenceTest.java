package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.moneonnx.Safetensors;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.Target;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Planner;
import io.moneonnx.plan.Ratio;
import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Values;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The whole road on trained models against statistics and logits that PyTorch made of the same
 * tokens, in the folder that the system property {@code trained} names.
 */
@EnabledIfSystemProperty(named = "trained", matches = ".+")
class ReferenceTest {
  private static final double TOLERANCE = 1e-4;

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"olmoe, loop", "olmoe, stacked", "qwen3, loop", "qwen3, stacked"})
  void agreesWithTheReference(String name, String export) throws IOException {
    Path trained = Path.of(System.getProperty("trained"), name);
    Safetensors reference = Safetensors.read(trained.resolve("reference.safetensors"));
    LoadedModel subject = LoadedModel.open(trained.resolve(export + ".onnx"), Target.CPU);
    Calibrator.Outcome outcome =
        new Calibrator(subject.model(), subject.folder(), subject.blocks(), RunOptions.cpu())
            .run(rows(reference.tensor("calib_ids")));

    assertThat(outcome.disproved()).isEmpty();
    for (int layer = 0; layer < outcome.statistics().size(); layer++) {
      agrees(outcome.statistics().get(layer), reference, "layer" + layer + ".");
    }
    Profile profile = new Profile(subject.fingerprint(), 0, List.of(), outcome.statistics());
    JsonObject plans =
        JsonParser.parseString(Files.readString(trained.resolve("reference.json")))
            .getAsJsonObject()
            .getAsJsonObject("plans");
    for (String percent : List.of("25", "50")) {
      Plan plan = Planner.plan(profile, Goal.of(Criteria.DEFAULT, Ratio.parse("0." + percent)));
      assertThat(plan.blocks().stream().map(Plan.Block::pruned).toList())
          .isEqualTo(pruned(plans.getAsJsonObject("mone_code." + percent)));
      agrees(subject, profile, plan, Novice.MEAN, reference, "mone_code." + percent + ".m");
      agrees(subject, profile, plan, Novice.ZERO, reference, "mone_code." + percent + ".0");
    }
  }

  @ParameterizedTest
  @CsvSource({"olmoe, loop", "olmoe, stacked", "qwen3, loop", "qwen3, stacked"})
  void cutsRoutersAsTheReferenceDoes(String name, String export) throws IOException {
    Path trained = Path.of(System.getProperty("trained"), name);
    Safetensors reference = Safetensors.read(trained.resolve("reference.safetensors"));
    LoadedModel subject = LoadedModel.open(trained.resolve(export + ".onnx"), Target.CPU);
    JsonObject plans =
        JsonParser.parseString(Files.readString(trained.resolve("reference.json")))
            .getAsJsonObject()
            .getAsJsonObject("plans");
    for (String plan : List.of("mone_code.25", "mone_code.50", "reap.25", "reap.50")) {
      List<List<Integer>> pruned = pruned(plans.getAsJsonObject(plan));
      Map<String, Removal> removals = new HashMap<>();
      for (int layer = 0; layer < pruned.size(); layer++) {
        Removal removal = new Removal(new TreeSet<>(pruned.get(layer)));
        removals.put(subject.blocks().get(layer).name(), removal);
      }
      Path file = folder.resolve(plan + ".onnx");
      OnnxWriter.write(
          Rewriter.rewrite(Canonical.of(subject.model()), subject.blocks(), removals),
          file,
          Placement.INLINE);
      agrees(file, reference, plan + ".z");
    }
  }

  /** One run of the model for each row of a matrix of token ids. */
  private static List<Map<String, Tensor>> rows(Tensor ids) {
    List<Map<String, Tensor>> feeds = new ArrayList<>();
    for (int row = 0; row < ids.dims().get(0); row++) {
      feeds.add(Map.of("input_ids", ids.rows(List.of(row))));
    }
    return feeds;
  }

  private static void agrees(BlockStatistics found, Safetensors reference, String layer) {
    assertThat(found.get(Statistic.N)).isEqualTo(Values.counts(reference.longs(layer + "n")));
    agrees(layer + "G1", found.get(Statistic.G1), reference.doubles(layer + "gate_sum"));
    agrees(layer + "G2", found.get(Statistic.G2), reference.doubles(layer + "gate_sq_sum"));
    agrees(layer + "mean", found.get(Statistic.MEAN), reference.doubles(layer + "mean"));
    agrees(layer + "M2", found.get(Statistic.M2), reference.doubles(layer + "M2"));
    agrees(
        layer + "gmean",
        found.get(Statistic.GMEAN),
        reference.doubles(layer + "gate_weighted_mean"));
    double[] n = found.get(Statistic.N).stream().toArray();
    agrees(layer + "A1", found.get(Statistic.A1), times(reference.doubles(layer + "score.man"), n));
    agrees(
        layer + "A2", found.get(Statistic.A2), times(reference.doubles(layer + "score.msan"), n));
    agrees(
        layer + "B1", found.get(Statistic.B1), times(reference.doubles(layer + "score.reap"), n));
    double tokens = found.get(Statistic.T).count(0);
    agrees(
        layer + "B2",
        found.get(Statistic.B2),
        times(reference.doubles(layer + "score.gmsan"), tokens));
    agrees(
        layer + "R2",
        found.get(Statistic.R2),
        times(reference.doubles(layer + "score.gvar"), tokens));
  }

  private static double[] times(double[] values, double... factors) {
    return IntStream.range(0, values.length)
        .mapToDouble(i -> values[i] * factors[i % factors.length])
        .toArray();
  }

  /** Within the tolerance, relative to the largest value of the array. */
  private static void agrees(String what, Values found, double[] wanted) {
    double largest = 0;
    double apart = 0;
    for (int i = 0; i < wanted.length; i++) {
      largest = Math.max(largest, Math.abs(wanted[i]));
      apart = Math.max(apart, Math.abs(wanted[i] - found.get(i)));
    }
    assertThat(apart / largest).as(what).isLessThan(TOLERANCE);
  }

  private void agrees(
      LoadedModel subject,
      Profile profile,
      Plan plan,
      Novice novice,
      Safetensors reference,
      String treatment) {
    Path file = folder.resolve(treatment + ".onnx");
    new Rewrite(subject, RunOptions.cpu(), new Silence())
        .run(
            new Rewrite.Request(file, novice, Optional.empty(), false, false),
            profile,
            plan,
            Optional.empty());
    agrees(file, reference, treatment);
  }

  private static void agrees(Path file, Safetensors reference, String treatment) {
    try (Session session = Session.open(file, RunOptions.cpu())) {
      Tensor logits =
          session
              .run(Map.of("input_ids", reference.tensor("test_ids")), List.of("logits"))
              .get("logits");
      float[] wanted = reference.tensor("logits." + treatment).toFloats();
      double[] wide = IntStream.range(0, wanted.length).mapToDouble(i -> wanted[i]).toArray();
      float[] values = logits.toFloats();
      agrees(
          treatment,
          Values.of(IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray()),
          wide);
    }
  }

  private static List<List<Integer>> pruned(JsonObject plan) {
    return plan.entrySet().stream()
        .map(
            layer ->
                layer.getValue().getAsJsonArray().asList().stream()
                    .map(JsonElement::getAsInt)
                    .toList())
        .toList();
  }
}
