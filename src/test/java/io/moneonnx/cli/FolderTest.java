package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.Target;
import io.moneonnx.pipeline.LoadedModel;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A folder with a model in it, wherever a command takes a model. */
class FolderTest {
  @TempDir private static Path shared;
  @TempDir private Path folder;

  private static Path profile;
  private Path models;
  private Path out;

  @BeforeAll
  static void measures() {
    profile = shared.resolve("olmoe.profile");
    Cli.run(
            "calibrate",
            TwoLayers.MODEL.getParent(),
            "-o",
            profile,
            "--blocks",
            1,
            "--seq-len",
            32,
            "--device",
            "cpu")
        .succeeds();
  }

  /** As the onnxruntime-genai builder lays a model out, with a little more. */
  @BeforeEach
  void laysOutAModel() throws IOException {
    models = Files.createDirectory(folder.resolve("models"));
    out = folder.resolve("pruned");
    OnnxWriter.write(
        OnnxReader.read(TwoLayers.MODEL), models.resolve("decoder.onnx"), Placement.EXTERNAL);
    Files.writeString(
        models.resolve("genai_config.json"),
        "{\"model\": {\"decoder\": {\"filename\": \"decoder.onnx\"}}}");
    Files.copy(TwoLayers.MODEL.resolveSibling("tokenizer.json"), models.resolve("tokenizer.json"));
    Files.writeString(
        Files.createDirectories(models.resolve("extra/deep")).resolve("chat.jinja"), "{{ text }}");
    Files.createDirectories(models.resolve(".git/objects"));
  }

  private Cli rewrite(Object... options) {
    return Cli.run(
        Stream.concat(
                Stream.of("rewrite", models, "--profile", profile, "--device", "cpu"),
                Arrays.stream(options))
            .toArray());
  }

  private static void assertLoads(Path model) {
    try (Session session = Session.open(model, RunOptions.cpu())) {
      assertThat(session.outputs()).containsExactly("logits");
    }
  }

  @Test
  void inspectFindsTheModelInAFolder() {
    assertThat(Cli.run("inspect", models).succeeds().out())
        .isEqualTo(Cli.run("inspect", TwoLayers.MODEL).succeeds().out());
  }

  @Test
  void rewriteTakesAlongWhatLiesBesideTheModel() throws IOException {
    Cli rewritten = rewrite("-o", out).succeeds();

    assertThat(Cli.names(out))
        .containsExactly(
            "decoder.onnx", "decoder.onnx.data", "extra", "genai_config.json", "tokenizer.json");
    assertThat(out.resolve("extra/deep/chat.jinja")).hasContent("{{ text }}");
    assertThat(rewritten.out())
        .contains("written  " + out.resolve("decoder.onnx.data"), "proof    largest");
    assertLoads(out.resolve("decoder.onnx"));
    assertThat(Cli.names(folder)).containsExactly("models", "pruned");
  }

  /** As repositories of the Hugging Face Hub are laid out, with another model in half precision. */
  @Test
  void rewritesTheModelOfARepository() throws IOException {
    Path inner = Files.createDirectory(models.resolve("onnx"));
    Path other = inner.resolve("model_fp16.onnx");
    Files.delete(models.resolve("genai_config.json"));
    Files.delete(models.resolve("decoder.onnx.data"));
    Files.delete(models.resolve("decoder.onnx"));
    Model model = OnnxReader.read(TwoLayers.MODEL);
    OnnxWriter.write(model, inner.resolve("model.onnx"), Placement.EXTERNAL);
    OnnxWriter.write(another(), other, Placement.INLINE);
    Files.writeString(models.resolve("calibration.txt"), "the cat sat on the mat ".repeat(40));

    Cli rewritten =
        Cli.run("rewrite", models, "-o", out, "--ratio", 0.25, "--device", "cpu").succeeds();

    assertThat(rewritten.err()).contains(other + ": is copied as it is");
    assertThat(Cli.names(out))
        .containsExactly("calibration.txt", "extra", "onnx", "tokenizer.json");
    assertThat(Cli.names(out.resolve("onnx")))
        .containsExactly("model.onnx", "model.onnx.data", "model_fp16.onnx");
    assertThat(out.resolve("onnx/model_fp16.onnx")).hasSameBinaryContentAs(other);
    assertLoads(out.resolve("onnx/model.onnx"));
    assertThat(Files.size(out.resolve("onnx/model.onnx.data")))
        .isLessThan(Files.size(inner.resolve("model.onnx.data")));
    Cli.run("rewrite", models, "-o", out, "--force", "--device", "cpu", "--no-verify").succeeds();
    Path packed = folder.resolve("packed");
    Cli.run("rewrite", models, "--pack", "-o", packed).succeeds();
    assertLoads(packed.resolve("onnx/model.onnx"));
    Cli.run("calibrate", inner.resolve("model.onnx"), "-o", folder.resolve("p"), "--device", "cpu")
        .succeeds();
  }

  @Test
  void theDataFileKeepsItsName() throws IOException {
    Path model = models.resolve("decoder.onnx");
    OnnxWriter.write(OnnxReader.read(model), models.resolve("weights"), Placement.EXTERNAL);
    Files.delete(models.resolve("decoder.onnx.data"));
    Files.move(models.resolve("weights"), model, StandardCopyOption.REPLACE_EXISTING);

    rewrite("-o", out, "--no-verify").succeeds();

    assertThat(Cli.names(out)).contains("decoder.onnx", "weights.data");
    assertLoads(out.resolve("decoder.onnx"));
  }

  @Test
  void theDefaultOutputLiesBesideTheFolder() throws IOException {
    rewrite("--no-verify").succeeds();

    assertThat(Cli.names(folder)).containsExactly("models", "models.mone");
  }

  @Test
  void forceReplacesAFolderWithSuchAModelAsAWhole() throws IOException {
    Files.writeString(Files.createDirectory(out).resolve("decoder.onnx"), "old");
    Files.writeString(out.resolve("stale.json"), "{}");
    rewrite("-o", out).fails(ExitCode.BAD_INPUT, "pruned: exists already; --force replaces it");

    rewrite("-o", out, "--force", "--no-verify").succeeds();

    assertThat(Cli.names(out)).doesNotContain("stale.json");
    assertThat(Cli.names(folder)).containsExactly("models", "pruned");
  }

  /** As a program leaves it that is killed between the two moves. */
  @Test
  void aFolderThatAKilledProgramMovedAwayIsPutBack() throws IOException {
    rewrite("-o", out, "--no-verify").succeeds();
    Files.move(out, folder.resolve(".pruned.tmp-1-replaced"));
    Files.createDirectories(folder.resolve(".pruned.tmp-1/pruned"));

    Cli refused = rewrite("-o", out);

    refused.fails(ExitCode.BAD_INPUT, "pruned: exists already; --force replaces it");
    assertThat(refused.err()).contains("pruned: is back as it was");
    assertLoads(out.resolve("decoder.onnx"));
    assertThat(Cli.names(folder)).containsExactly("models", "pruned");
  }

  @Test
  void aStrayFileOfTheDataFilesNameIsNotInTheWay() throws IOException {
    Path stray = models.resolve("decoder.onnx.data");
    OnnxWriter.write(
        OnnxReader.read(TwoLayers.MODEL), models.resolve("decoder.onnx"), Placement.INLINE);
    Files.writeString(stray, "stray");

    rewrite("-o", out, "--no-verify", "--external").succeeds();

    assertThat(out.resolve("decoder.onnx.data")).hasContent("stray");
    assertLoads(out.resolve("decoder.onnx"));
  }

  @Test
  void forceReplacesNoOtherFolder() throws IOException {
    Files.writeString(Files.createDirectory(out).resolve("diary.txt"), "mine");

    rewrite("-o", out, "--force").fails(ExitCode.BAD_INPUT, "pruned: holds no decoder.onnx");

    assertThat(Cli.names(out)).containsExactly("diary.txt");
  }

  @Test
  void anOutputThatIsTheFolderOrInItOrAroundIt() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("link"), models);
    for (Path wrong : new Path[] {models, link, models.resolve("in"), folder}) {
      rewrite("-o", wrong, "--force")
          .fails(ExitCode.BAD_INPUT, wrong + ": is the model's folder, in it or around it");
    }
    assertThat(models.resolve("decoder.onnx")).exists();
  }

  @Test
  void anOutputThatHoldsTheProfile() throws IOException {
    Files.copy(models.resolve("decoder.onnx"), Files.createDirectory(out).resolve("decoder.onnx"));
    Path measured = Files.copy(profile, out.resolve("p"));

    Cli.run("rewrite", models, "--profile", measured, "-o", out, "--force", "--device", "cpu")
        .fails(ExitCode.BAD_INPUT, measured + ": is read as an input");
  }

  @Test
  void anOutputThatIsAFile() throws IOException {
    Files.writeString(out, "mine");

    rewrite("-o", out, "--force").fails(ExitCode.BAD_INPUT, "is a file, expected a folder");

    assertThat(out).hasContent("mine");
  }

  @Test
  void anotherModelWithTheSameExpertsIsRewrittenToo() throws IOException {
    Files.copy(models.resolve("decoder.onnx"), models.resolve("twin.onnx"));

    rewrite("-o", out, "--no-verify").succeeds();

    assertThat(out.resolve("twin.onnx")).hasSameBinaryContentAs(out.resolve("decoder.onnx"));
    assertThat(Files.size(out.resolve("decoder.onnx.data")))
        .isLessThan(Files.size(models.resolve("decoder.onnx.data")));
    assertThat(Cli.names(out)).contains("decoder.onnx.data").doesNotContain("twin.onnx.data");
    assertLoads(out.resolve("twin.onnx"));
  }

  /** With a first router that prefers no expert. */
  private static Model another() {
    Model model = OnnxReader.read(TwoLayers.MODEL);
    String router =
        LoadedModel.open(TwoLayers.MODEL, Target.CPU).blocks().get(0).routing().router();
    Tensor weight = model.graph().constant(router).orElseThrow();
    return TinyMoe.withInitializer(
        model, router, Tensor.of(weight.type(), weight.dims(), new float[(int) weight.elements()]));
  }

  @Test
  void aFolderOfTwoModelsOfWhichNoneIsNamed() throws IOException {
    Files.delete(models.resolve("genai_config.json"));
    Files.copy(models.resolve("decoder.onnx"), models.resolve("twin.onnx"));

    Cli.run("inspect", models)
        .fails(ExitCode.BAD_INPUT, models + ": is a folder", "found decoder.onnx, twin.onnx");
  }
}
