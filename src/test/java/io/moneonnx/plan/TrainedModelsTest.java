package io.moneonnx.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.moneonnx.Safetensors;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Doubles;
import io.moneonnx.profile.Longs;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Slices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Plans from the reference statistics of trained models are the reference's plans. */
final class TrainedModelsTest {
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
    String folder = System.getProperty("trained", "");
    assumeFalse(folder.isEmpty(), "no trained models given");
    JsonObject reference =
        JsonParser.parseString(Files.readString(Path.of(folder, model, "reference.json")))
            .getAsJsonObject();
    Profile profile =
        profile(reference, Safetensors.read(Path.of(folder, model, "reference.safetensors")));

    for (String percent : List.of("25", "50")) {
      Plan plan =
          Planner.plan(profile, Criterion.named(criterion), LayerRatio.parse("0." + percent));
      JsonObject wanted = reference.getAsJsonObject("plans").getAsJsonObject(there + "." + percent);
      for (Plan.Block block : plan.blocks()) {
        assertThat(block.pruned())
            .as("%s at %s%%, layer %s", criterion, percent, block.name())
            .isEqualTo(integers(wanted.get(block.name())));
      }
      assertThat(plan.blocks()).hasSize(wanted.size());
    }
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
                  0)));
    }
    return new Profile("reference", 0, List.of(), blocks);
  }

  /** Means over an expert's calls there are sums here. */
  private static BlockStatistics block(Safetensors tensors, String layer, BlockHeader header) {
    long[] n = tensors.longs(layer + "n");
    int experts = header.experts();
    return new BlockStatistics(
        header,
        Longs.of(n),
        Doubles.of(tensors.doubles(layer + "gate_sum")),
        Doubles.of(tensors.doubles(layer + "gate_sq_sum")),
        sums(tensors.doubles(layer + "score.man"), n),
        sums(tensors.doubles(layer + "score.msan"), n),
        sums(tensors.doubles(layer + "score.reap"), n),
        Doubles.of(new double[experts]),
        Doubles.of(tensors.doubles(layer + "mean")),
        Doubles.of(tensors.doubles(layer + "M2")),
        Doubles.of(tensors.doubles(layer + "gate_weighted_mean")),
        Doubles.of(new double[experts]),
        Doubles.of(new double[experts]),
        8192,
        Longs.of(new long[experts * experts]),
        0,
        Slices.NONE);
  }

  private static Doubles sums(double[] means, long[] n) {
    return Doubles.of(IntStream.range(0, n.length).mapToDouble(i -> means[i] * n[i]).toArray());
  }

  private static List<Integer> integers(JsonElement array) {
    return array.getAsJsonArray().asList().stream().map(JsonElement::getAsInt).toList();
  }
}
