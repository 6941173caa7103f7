package io.moneonnx.cli;

import static io.moneonnx.cli.ExitCode.BAD_INPUT;
import static io.moneonnx.cli.ExitCode.CHECK_FAILED;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.data.Fixtures;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Recording and checking as a user does it. */
class GoldenTest {
  private static final Path HELD_OUT = TwoLayers.MODEL.resolveSibling("heldout.txt");

  @TempDir private static Path shared;
  @TempDir private Path folder;

  private static Path golden;
  private static Cli recorded;

  @BeforeAll
  static void records() {
    golden = shared.resolve("golden.onnxgold");
    recorded = record(TwoLayers.MODEL, golden, "--threads", 1).succeeds();
  }

  private static Cli record(Path model, Path output, Object... options) {
    return Cli.run(
        with(
            List.of("golden", "record", model, "-o", output, "--device", "cpu"),
            with(List.of("--limit", 2, "--seq-len", 32), options)));
  }

  private static Object[] with(List<Object> first, Object... more) {
    Object[] all = Arrays.copyOf(first.toArray(), first.size() + more.length);
    System.arraycopy(more, 0, all, first.size(), more.length);
    return all;
  }

  private static Cli check(Path model, Path file, Object... options) {
    return Cli.run(with(List.of("golden", "check", model, file, "--device", "cpu"), options));
  }

  /** The small model with its first expert's down projection times 1.01. */
  private Path scaled() {
    Model model = OnnxReader.read(TwoLayers.MODEL);
    String weight =
        model.graph().nodes().stream()
            .filter(node -> node.name().contains("layers.0/mlp/experts.0/down_proj"))
            .findFirst()
            .orElseThrow()
            .input(1);
    Tensor down = model.graph().constant(weight).orElseThrow();
    float[] values = down.toFloats();
    for (int i = 0; i < values.length; i++) {
      values[i] *= 1.01f;
    }
    Path file = folder.resolve("scaled.onnx");
    OnnxWriter.write(
        TinyMoe.withInitializer(model, weight, Tensor.of(down.dims(), values)),
        file,
        Placement.INLINE);
    return file;
  }

  @Test
  void expertsThatNoPositionChoseAreNamed() {
    Path brief = folder.resolve("brief.onnxgold");

    assertThat(
            Cli.run("golden", "record", TwoLayers.MODEL, "-o", brief, "--limit", 1, "--seq-len", 3)
                .succeeds()
                .out())
        .containsPattern("unseen   layers.0: experts [\\d -]+, never chosen in the recorded runs");
  }

  @Test
  void recordingSaysWhatIsRecorded() throws IOException {
    assertThat(recorded.out())
        .contains("output   logits float[1, 32, 1024]")
        .contains("routing  choices of 2 routers")
        .contains("written  " + golden + " (2 runs, ");
    assertThat(recorded.err()).contains("heldout.txt, found in the model's directory");
    assertThat(Files.size(golden)).isLessThan(10_000);
  }

  @Test
  void recordingAgainMakesTheSameFile() {
    Path again = folder.resolve("again.onnxgold");
    record(TwoLayers.MODEL, again, "--threads", 1).succeeds();

    assertThat(again).hasSameBinaryContentAs(golden);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void otherThreadsMakeNoDifference(int threads) {
    assertThat(check(TwoLayers.MODEL, golden, "--threads", threads).succeeds().out())
        .containsPattern("ok       'logits' 64 rows, largest error [\\d.e-]+ of what is allowed")
        .contains("ok       the same experts at 64 positions");
  }

  @Test
  void oneExpertThatIsScaledIsSeenAndWhere() {
    Cli checked = check(scaled(), golden);

    assertThat(checked.code()).isEqualTo(CHECK_FAILED);
    assertThat(checked.out())
        .contains("another model than was recorded (model.onnx)")
        .containsPattern(
            "FAILED   'logits' moved at position \\d+ of sequence 0 of heldout.txt: .* recorded .*,"
                + " found .*, off by .*, allowed .*; [\\d,]+ of [\\d,]+ rows moved");
  }

  @Tag("exhaustive")
  @Test
  void toleranceIsTheUsers() {
    check(scaled(), golden, "--rtol", "1").succeeds();
    check(scaled(), golden, "--rtol", "0", "--atol", "100").succeeds();
  }

  @Test
  void jsonAndJUnitSayTheSame() throws IOException {
    Path junit = folder.resolve("golden.xml");
    Cli checked = check(scaled(), golden, "--json", "--junit", junit);

    JsonObject json = JsonParser.parseString(checked.out()).getAsJsonObject();
    JsonObject logits = json.getAsJsonArray("outputs").get(0).getAsJsonObject();
    assertThat(json.get("holds").getAsBoolean()).isFalse();
    assertThat(json.getAsJsonObject("recorded").get("file").getAsString()).isEqualTo("model.onnx");
    assertThat(logits.get("name").getAsString()).isEqualTo("logits");
    assertThat(logits.getAsJsonObject("first").get("place").getAsString())
        .endsWith("of sequence 0 of heldout.txt");
    assertThat(Files.readString(junit))
        .contains("tests=\"3\"")
        .contains("name=\"output logits\"><failure message=\"moved at position");
  }

  @Test
  void aReportReplacesNothingThatIsRead() throws IOException {
    Path model = scaled();

    check(model, golden, "--junit", model).fails(BAD_INPUT, "is read as an input");
    check(model.getParent(), golden, "--junit", model).fails(BAD_INPUT, "is read as an input");
    check(model, golden, "--junit", golden).fails(BAD_INPUT, "is read as an input");
  }

  @Test
  void aModelOfAnotherShapeIsNoBadInput() {
    TinyMoe tiny = Spelling.DYNAMO.of(4, 2, 4);
    Path other = folder.resolve("tiny.onnx");
    OnnxWriter.write(tiny.model(), other, Placement.INLINE);
    Cli checked = check(other, golden);

    assertThat(checked.code()).isEqualTo(CHECK_FAILED);
    assertThat(checked.out())
        .contains("FAILED   input 'x' was not recorded")
        .contains("FAILED   input 'input_ids' is no input of the model any more");
  }

  @Test
  void aModelWithoutExpertsIsRecordedToo() throws IOException {
    Model model =
        new Model(
            GraphText.parse(
                "plain (float[N, 3] x) => (float[N, 3] y, int64[2] sizes)"
                    + " { y = Relu (x) sizes = Shape (x) }"),
            8,
            Map.of("", 17L),
            Map.of(),
            UnknownFields.NONE);
    Path plain = folder.resolve("plain.onnx");
    OnnxWriter.write(model, plain, Placement.INLINE);
    Path data =
        Fixtures.npz(
            folder.resolve("x.npz"), Map.of("x", Fixtures.npy("<f4", "(2, 3)", new byte[24])));
    Path file = folder.resolve("plain.onnxgold");

    assertThat(
            Cli.run("golden", "record", plain, "-o", file, "--data", data, "--device", "cpu")
                .succeeds()
                .out())
        .contains("output   y float[1, 3]", "output   sizes int64[2]")
        .contains("routing  none recorded");
    check(plain, file).succeeds();
  }

  @Test
  void aModelThatIsNeverTheSameIsNotRecorded() throws IOException {
    Model model =
        new Model(
            GraphText.parse(
                "noise (float[N, 3] x) => (float[N, 3] y) { y = RandomNormalLike (x) }"),
            8,
            Map.of("", 17L),
            Map.of(),
            UnknownFields.NONE);
    Path noise = folder.resolve("noise.onnx");
    OnnxWriter.write(model, noise, Placement.INLINE);
    Path data =
        Fixtures.npz(
            folder.resolve("x.npz"), Map.of("x", Fixtures.npy("<f4", "(2, 3)", new byte[24])));
    Path file = folder.resolve("noise.onnxgold");

    Cli.run("golden", "record", noise, "-o", file, "--data", data, "--device", "cpu")
        .fails(CHECK_FAILED, "the model's outputs differ from run to run: 'y' moved at");
    assertThat(file).doesNotExist();
  }

  @Test
  void whatIsWrongWithACommandLineIsToldAndNothingIsWritten() throws IOException {
    record(TwoLayers.MODEL, golden).fails(BAD_INPUT, golden, "--force replaces it");
    record(TwoLayers.MODEL, HELD_OUT, "--force").fails(BAD_INPUT, "is read as an input");
    check(TwoLayers.MODEL, HELD_OUT).fails(BAD_INPUT, HELD_OUT, "holds no golden outputs");
    check(TwoLayers.MODEL, folder.resolve("none")).fails(BAD_INPUT, "no such file");
    check(TwoLayers.MODEL, golden, "--rtol", "-1")
        .fails(BAD_INPUT, "--rtol: found -1.0, expected 0 or more");
    check(TwoLayers.MODEL, golden, "--atol", "NaN").fails(BAD_INPUT, "--atol: found NaN");
    Cli.run("golden").fails(BAD_INPUT, "a command is missing: record, check");
  }
}
