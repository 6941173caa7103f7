package io.moneonnx.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.moneonnx.Safetensors;
import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.MadeStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Plans from the reference statistics of trained models are the reference's plans. */
final class TrainedModelsTest {
  private static final int TOKENS = 8192;

  @ParameterizedTest
  @CsvSource({
    "olmoe, mone,       mone_code",
    "olmoe, mone-count, mone_paper",
    "olmoe, reap,       reap",
    "qwen3, mone,       mone_code",
    "qwen3, mone-count, mone_paper",
    "qwen3, reap,       reap",
  })
  void agreeWithTheReference(String model, String criterion, String there) throws IOException {
    JsonObject reference = reference(model);
    Profile profile = profile(reference, Safetensors.read(trained(model, "reference.safetensors")));

    for (String percent : List.of("25", "50")) {
      Plan plan =
          Planner.plan(profile, Goal.of(Criteria.named(criterion), Ratio.parse("0." + percent)));
      JsonObject wanted = reference.getAsJsonObject("plans").getAsJsonObject(there + "." + percent);
      for (Plan.Block block : plan.blocks()) {
        assertThat(block.pruned())
            .as("%s at %s%%, layer %s", criterion, percent, block.name())
            .isEqualTo(integers(wanted.get(block.name())));
      }
      assertThat(plan.blocks()).hasSize(wanted.size());
    }
  }

  /** There some are means over all tokens, which are sums here. */
  @ParameterizedTest
  @CsvSource({
    "mone,          mone_code,  1",
    "mone-count,    mone_paper, 1",
    "frequency,     freq,       8192",
    "routing-score, rs,         8192",
    "variance,      var,        1",
    "man,           man,        1",
    "msan,          msan,       1",
    "weighted-ean2, gmsan,      8192",
    "reap,          reap,       1",
    "residual,      gvar,       8192",
  })
  void scoresAgreeWithTheReference(String criterion, String there, double factor)
      throws IOException {
    for (String model : List.of("olmoe", "qwen3")) {
      Safetensors tensors = Safetensors.read(trained(model, "reference.safetensors"));
      for (BlockStatistics block : profile(reference(model), tensors).blocks()) {
        double[] wanted = tensors.doubles("layer" + block.name() + ".score." + there);
        double[] found = Criteria.named(criterion).scores(block);
        for (int expert = 0; expert < found.length; expert++) {
          assertThat(found[expert])
              .as("%s, layer %s, expert %d", model, block.name(), expert)
              .isCloseTo(wanted[expert] * factor, withinPercentage(1e-7));
        }
      }
    }
  }

  private static Path trained(String model, String file) {
    String folder = System.getProperty("trained", "");
    assumeFalse(folder.isEmpty(), "no trained models given");
    return Path.of(folder, model, file);
  }

  private static JsonObject reference(String model) throws IOException {
    return JsonParser.parseString(Files.readString(trained(model, "reference.json")))
        .getAsJsonObject();
  }

  private static Profile profile(JsonObject reference, Safetensors tensors) {
    List<BlockStatistics> blocks = new ArrayList<>();
    for (int layer : integers(reference.get("sparse_layers"))) {
      blocks.add(
          block(
              tensors,
              "layer" + layer + ".",
              new BlockHeader(
                  Integer.toString(layer),
                  "reference",
                  reference.get("experts").getAsInt(),
                  reference.get("top_k").getAsInt(),
                  reference.get("hidden").getAsInt(),
                  0,
                  0)));
    }
    return new Profile("reference", 0, List.of(), blocks);
  }

  /** Means over an expert's calls there are sums here. */
  private static BlockStatistics block(Safetensors tensors, String layer, BlockHeader header) {
    long[] n = tensors.longs(layer + "n");
    return MadeStatistics.of(header)
        .with(Statistic.N, Values.counts(n))
        .with(Statistic.G1, Values.of(tensors.doubles(layer + "gate_sum")))
        .with(Statistic.G2, Values.of(tensors.doubles(layer + "gate_sq_sum")))
        .with(Statistic.A1, sums(tensors.doubles(layer + "score.man"), n))
        .with(Statistic.A2, sums(tensors.doubles(layer + "score.msan"), n))
        .with(Statistic.B1, sums(tensors.doubles(layer + "score.reap"), n))
        .with(Statistic.B2, times(tensors.doubles(layer + "score.gmsan"), TOKENS))
        .with(Statistic.MEAN, Values.of(tensors.doubles(layer + "mean")))
        .with(Statistic.M2, Values.of(tensors.doubles(layer + "M2")))
        .with(Statistic.GMEAN, Values.of(tensors.doubles(layer + "gate_weighted_mean")))
        .with(Statistic.R2, times(tensors.doubles(layer + "score.gvar"), TOKENS))
        .with(Statistic.T, Values.counts(TOKENS))
        .block();
  }

  private static Values times(double[] means, double factor) {
    return Values.of(Arrays.stream(means).map(mean -> mean * factor).toArray());
  }

  private static Values sums(double[] means, long[] n) {
    return Values.of(IntStream.range(0, n.length).mapToDouble(i -> means[i] * n[i]).toArray());
  }

  private static List<Integer> integers(JsonElement array) {
    return array.getAsJsonArray().asList().stream().map(JsonElement::getAsInt).toList();
  }
}
