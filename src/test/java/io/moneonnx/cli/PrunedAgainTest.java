package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.rewrite.Provenance;
import io.moneonnx.rewrite.Provenance.Gone;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code rewrite} wrote, given to it again. */
final class PrunedAgainTest {
  @TempDir private Path folder;

  private Path rewritten(Path model, String name) {
    Path out = folder.resolve(name);
    runOnText("rewrite", model, "--ratio", "0.25", "-o", out);
    return out;
  }

  private static void runOnText(Object... command) {
    Stream<Object> data =
        Stream.of(
            "--data",
            "text=" + TwoLayers.MODEL.resolveSibling("calibration.txt"),
            "--tokenizer",
            TwoLayers.MODEL.resolveSibling("tokenizer.json"),
            "--blocks",
            "1",
            "--seq-len",
            "64",
            "--device",
            "cpu");
    Cli.run(Stream.concat(Stream.of(command), data).toArray()).succeeds();
  }

  private static Map<String, Gone> gone(Path model) {
    return Provenance.gone(OnnxReader.read(model)).orElseThrow();
  }

  @Test
  void prunesWhatIsLeft() throws IOException {
    Path once = rewritten(TwoLayers.MODEL, "once.onnx");
    Path twice = rewritten(once, "twice.onnx");

    Gone before = gone(once).get("layers.0");
    Gone after = gone(twice).get("layers.0");
    assertThat(before.all()).hasSize(4);
    assertThat(after.all()).hasSize(7).containsAll(before.all());
    before
        .replaced()
        .forEach((id, novices) -> assertThat(after.replaced()).containsEntry(id, novices));
    assertThat(after.since(before).replaced().values()).doesNotContain("mone.0/novices");

    String inspected = Cli.run("inspect", twice).succeeds().out();
    assertThat(inspected)
        .contains("9 of 16", "replaced by constants 'mone.0/novices'; ")
        .containsPattern("run 1 .*ratio 0.25")
        .containsPattern("run 2 .*ratio 0.25");
    JsonObject json =
        JsonParser.parseString(Cli.run("inspect", "--json", twice).out()).getAsJsonObject();
    JsonObject block = json.getAsJsonArray("blocks").get(0).getAsJsonObject();
    assertThat(block.get("experts").getAsInt()).isEqualTo(16);
    assertThat(block.getAsJsonArray("weightless")).hasSize(7);
    assertThat(json.getAsJsonArray("runs")).hasSize(2);
    plansNoExpertThatIsGone(once, List.copyOf(before.all()).get(0));
  }

  private void plansNoExpertThatIsGone(Path model, int gone) throws IOException {
    Path profile = folder.resolve("once.profile");
    Path plan = folder.resolve("plan.json");
    runOnText("calibrate", model, "-o", profile);
    Cli.run("plan", profile, "--ratio", "0.25", "-o", plan).succeeds();
    String planned = Files.readString(plan);
    Files.writeString(
        plan, planned.replaceFirst("\"pruned\": \\[[^]]*]", "\"pruned\": [" + gone + "]"));
    Cli.run("rewrite", model, "--profile", profile, "--plan", plan, "-o", folder.resolve("no"))
        .fails(ExitCode.BAD_INPUT, "layers.0", "expert " + gone, "own weights");
  }
}
