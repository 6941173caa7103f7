package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code verify --exact} as a user sees it. */
final class ExactTest {
  @TempDir private static Path folder;

  @BeforeAll
  static void prune() {
    Cli.run("calibrate", TwoLayers.MODEL, "--limit", 2, "-o", file("profile")).succeeds();
    for (String router : new String[] {"keep", "cut"}) {
      Cli.run(
              "plan",
              file("profile"),
              "--ratio",
              0.5,
              "--router",
              router,
              "-o",
              file(router + ".json"))
          .succeeds();
      Cli.run(
              "rewrite",
              TwoLayers.MODEL,
              "--profile",
              file("profile"),
              "--plan",
              file(router + ".json"),
              "--no-verify",
              "-o",
              file(router + ".onnx"))
          .succeeds();
    }
  }

  private static Path file(String name) {
    return folder.resolve(name);
  }

  private static Cli verify(Path pruned, String plan, Object... more) {
    Stream<Object> first =
        Stream.of(
            "verify",
            TwoLayers.MODEL,
            pruned,
            "--exact",
            "--plan",
            file(plan),
            "--profile",
            file("profile"),
            "--device",
            "cpu",
            "--threads",
            1);
    return Cli.run(Stream.concat(first, Arrays.stream(more)).toArray());
  }

  @Test
  void holdsForWhatRewriteWrote() throws IOException {
    Path junit = file("junit.xml");
    Cli kept = verify(file("keep.onnx"), "keep.json", "--junit", junit).succeeds();
    assertThat(kept.out())
        .contains("layers.1", "8 replaced", "is what the plan and the profile say");
    assertThat(Files.readString(junit)).contains("tests=\"3\" failures=\"0\"");
    assertThat(verify(file("cut.onnx"), "cut.json", "--json").succeeds().out())
        .contains("\"holds\": true", "\"done\": \"removed\"");
  }

  @Test
  void namesTheBlockWhoseNoviceIsScaled() {
    Model model = OnnxReader.read(file("keep.onnx"));
    Tensor novices = model.graph().constant("mone.1/novices").orElseThrow();
    float[] values = novices.toFloats();
    int hidden = novices.dims().get(1).intValue();
    for (int i = 0; i < hidden; i++) {
      values[i] *= 1.5f;
    }
    Path broken = file("broken.onnx");
    Tensor scaled = Tensor.of(novices.dims(), values);
    OnnxWriter.write(
        TinyMoe.withInitializer(model, "mone.1/novices", scaled), broken, Placement.INLINE);
    Cli verified = verify(broken, "keep.json");

    assertThat(verified.code()).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(verified.err()).contains("block 'layers.1' is off by");
    assertThat(verified.err()).doesNotContain("'layers.0'");
    assertThat(verified.out()).contains("WRONG");
  }

  @Test
  void saysThatTheOriginalWasNotPruned() {
    Cli verified = verify(TwoLayers.MODEL, "keep.json");

    assertThat(verified.code()).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(verified.err()).contains("block 'layers.0' has the weights of all its 16 experts");
  }

  @Tag("exhaustive")
  @Test
  void findsThatAnotherPlanWasTaken() {
    assertThat(verify(file("cut.onnx"), "keep.json").code()).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(verify(file("keep.onnx"), "cut.json").code()).isEqualTo(ExitCode.CHECK_FAILED);
  }

  @Test
  void refusesAPlanOfAnotherModel() throws IOException {
    String plan = Files.readString(file("keep.json"));
    Files.writeString(file("other.json"), plan.replaceFirst("sha256:\\w{8}", "sha256:00000000"));

    verify(file("keep.onnx"), "other.json")
        .fails(ExitCode.BAD_INPUT, "other.json", "is for another model");
  }

  @Test
  void refusesFilesThatAreNoModel() throws IOException {
    Files.writeString(file("text.onnx"), "no model");

    verify(file("text.onnx"), "keep.json").fails(ExitCode.BAD_INPUT, "text.onnx");
    verify(file("absent.onnx"), "keep.json").fails(ExitCode.BAD_INPUT, "absent.onnx", "no such");
  }
}
