package io.moneonnx.cli;

import static io.moneonnx.cli.ExitCode.BAD_INPUT;
import static io.moneonnx.cli.ExitCode.CHECK_FAILED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.data.Fixtures;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How far a real, pruned model is from the original. */
class VerifyTest {
  private static final Path TEXT = TwoLayers.MODEL.resolveSibling("calibration.txt");
  private static final Path HELD_OUT = TwoLayers.MODEL.resolveSibling("heldout.txt");

  private static final TinyMoe TINY = Spelling.DYNAMO.of(4, 2, 4);

  @TempDir private static Path shared;
  private static Path pruned;
  private static Path cut;

  @TempDir private Path folder;

  @BeforeAll
  static void prunes() {
    Path profile = shared.resolve("olmoe.profile");
    pruned = shared.resolve("pruned.onnx");
    cut = shared.resolve("cut.onnx");
    Cli.run("calibrate", TwoLayers.MODEL, "-o", profile, "--blocks", 8, "--device", "cpu")
        .succeeds();
    rewrite("--profile", profile, "-o", pruned);
    rewrite("--profile", profile, "-o", cut, "--router", "cut");
  }

  private static void rewrite(Object... options) {
    Cli.run(
            Stream.concat(
                    Stream.of("rewrite", TwoLayers.MODEL, "--ratio", 0.5, "--no-verify"),
                    Arrays.stream(options))
                .toArray())
        .succeeds();
  }

  private static Cli verify(Path model, Path other, Object... options) {
    return Cli.run(
        Stream.concat(
                Stream.of("verify", model, other, "--device", "cpu", "--threads", 1),
                Arrays.stream(options))
            .toArray());
  }

  private static Cli verify(Object... options) {
    return verify(
        TwoLayers.MODEL,
        pruned,
        Stream.concat(Stream.of("--limit", 2, "--seq-len", 64), Arrays.stream(options)).toArray());
  }

  private static JsonObject json(Cli result) {
    return JsonParser.parseString(result.succeeds().out()).getAsJsonObject();
  }

  private static double number(JsonObject drift, String key) {
    return drift.getAsJsonObject("predictions").get(key).getAsDouble();
  }

  @Test
  void showsPredictionsOutputsAndBlocks() {
    Cli shown = verify().succeeds();

    assertThat(shown.out())
        .containsPattern("data +positions +KL mean +KL 99% .* perplexity +pruned +increase +met")
        .containsPattern("total +128 +0\\.\\d+ .*%\n")
        .containsPattern("logits +total +0\\.\\d+ +0\\.9\\d+\n")
        .containsPattern("layers\\.1 +0\\.\\d+ +0\\.\\d+ +\\d+\\.\\d+%\n")
        .doesNotContain("missing", "bounds");
    assertThat(shown.err())
        .contains("heldout.txt, found in the model's directory", "on 2 sequences");
  }

  @Test
  void tagsHaveFiguresOfTheirOwnThatMakeUpTheTotal() {
    JsonObject found = json(verify("--json", "--data", "kjv=" + TEXT, "new=" + HELD_OUT));
    JsonObject total = found.getAsJsonObject("total");
    JsonObject one = found.getAsJsonObject("tags").getAsJsonObject("kjv");
    JsonObject other = found.getAsJsonObject("tags").getAsJsonObject("new");

    assertThat(found.get("sequences").getAsInt()).isEqualTo(4);
    assertThat(found.get("tokens").getAsInt()).isEqualTo(256);
    assertThat(number(total, "positions")).isEqualTo(256);
    assertThat(number(one, "positions")).isEqualTo(128);
    assertThat(number(one, "tokens")).isEqualTo(126);
    assertThat(number(one, "klMean")).isNotEqualTo(number(other, "klMean"));
    assertThat(number(total, "klMean"))
        .isCloseTo((number(one, "klMean") + number(other, "klMean")) / 2, within(1e-12));
    assertThat(number(total, "klMax"))
        .isEqualTo(Math.max(number(one, "klMax"), number(other, "klMax")));
    assertThat(Math.log(number(total, "perplexity")))
        .isCloseTo(
            (Math.log(number(one, "perplexity")) + Math.log(number(other, "perplexity"))) / 2,
            within(1e-12));
  }

  @Tag("exhaustive")
  @Test
  void aTagIsMeasuredAsItWouldBeAlone() {
    JsonObject both = json(verify("--json", "--data", "kjv=" + TEXT, "new=" + HELD_OUT));
    JsonObject alone = json(verify("--json", "--data", HELD_OUT));

    assertThat(both.getAsJsonObject("tags").get("new")).isEqualTo(alone.get("total"));
    assertThat(alone.getAsJsonObject("tags").keySet()).isEmpty();
  }

  @Test
  void theSameComesOutAgain() {
    assertThat(verify("--json", "--threads", 1).out())
        .isEqualTo(verify("--json", "--threads", 1).out());
  }

  @Tag("exhaustive")
  @Test
  void jsonSaysEverythingOfBlocks() {
    JsonObject blocks = json(verify("--json")).getAsJsonObject("total").getAsJsonObject("blocks");

    assertThat(blocks.keySet()).containsExactly("layers.0", "layers.1");
    JsonObject first = blocks.getAsJsonObject("layers.0");
    assertThat(first.get("relativeError").getAsDouble()).isBetween(0.001, 2.0);
    assertThat(first.get("cosine").getAsDouble()).isBetween(0.1, 0.99999);
    JsonObject calls = first.getAsJsonObject("calls");
    assertThat(calls.get("made").getAsInt()).isEqualTo(4 * 128);
    assertThat(calls.get("share").getAsDouble())
        .isEqualTo(calls.get("gone").getAsInt() / (4 * 128.0))
        .isPositive();
  }

  @Tag("exhaustive")
  @Test
  void twoEqualFilesAreNotApart() {
    JsonObject found = json(verify(TwoLayers.MODEL, TwoLayers.MODEL, "--json", "--limit", 1));
    JsonObject total = found.getAsJsonObject("total");

    assertThat(number(total, "klMax")).isZero();
    assertThat(number(total, "top1")).isEqualTo(1);
    assertThat(number(total, "perplexityIncrease")).isZero();
    JsonObject logits = total.getAsJsonObject("outputs").getAsJsonObject("logits");
    assertThat(logits.get("relativeError").getAsDouble()).isZero();
    assertThat(logits.get("cosine").getAsDouble()).isEqualTo(1);
    assertThat(total.get("calls").isJsonNull()).isTrue();
    assertThat(found.getAsJsonArray("missing").toString()).contains("does not say which experts");
  }

  @Test
  void callsOfACutRouterGoElsewhere() {
    Cli shown = verify(TwoLayers.MODEL, cut, "--limit", 1).succeeds();

    assertThat(shown.out()).contains("elsewhere").doesNotContain("met a novice");
    assertThat(shown.out()).containsPattern("layers\\.0 .* [1-9]\\d*\\.\\d+%\n");
  }

  @Test
  void hiddenTokensDoNotCount() throws IOException {
    Path model = masked();
    Path data =
        Fixtures.npz(
            folder.resolve("data.npz"),
            Map.of(
                "input_ids", longs(5, 6, 7, 8, 9, 10, 11, 12),
                "attention_mask", longs(1, 1, 1, 0, 0, 0, 1, 1)));
    JsonObject found = json(verify(model, model, "--json", "--batch", 2, "--data", data));

    assertThat(number(found.getAsJsonObject("total"), "positions")).isEqualTo(5);
    assertThat(number(found.getAsJsonObject("total"), "tokens")).isEqualTo(3);
  }

  @Test
  void boundsThatHoldAreToldAndDone() {
    Cli held = verify("--max-kl", 100, "--min-top1", "1%", "--max-relative-error", 100);

    assertThat(held.succeeds().out()).contains("bounds   3 of 3 hold");
  }

  @Test
  void aBreachIsALineForEachScopeAndFails() {
    Cli failed =
        verify("--max-kl", 1e-6, "--max-ppl-increase", "900%", "--data", "kjv=" + TEXT, HELD_OUT);

    assertThat(failed.code()).isEqualTo(CHECK_FAILED);
    assertThat(failed.out()).contains("bounds   2 of 4 hold");
    assertThat(failed.err().lines().filter(line -> line.contains("expected at most")))
        .hasSize(2)
        .allMatch(line -> line.endsWith("nats, expected at most 0.000001 nats"))
        .anyMatch(line -> line.startsWith("  total: mean KL divergence: found 0."))
        .anyMatch(line -> line.startsWith("  kjv: mean KL divergence: found 0."));
  }

  @Test
  void jsonTellsOfBounds() {
    Cli failed = verify("--json", "--min-top1", 1, "--max-kl", 50);
    JsonObject found = JsonParser.parseString(failed.out()).getAsJsonObject();

    assertThat(failed.code()).isEqualTo(CHECK_FAILED);
    assertThat(found.getAsJsonArray("gates")).hasSize(2);
    JsonObject first = found.getAsJsonArray("gates").get(0).getAsJsonObject();
    assertThat(first.get("measure").getAsString()).isEqualTo("mean KL divergence");
    assertThat(first.get("where").getAsString()).isEqualTo("total");
    assertThat(first.get("bound").getAsDouble()).isEqualTo(50);
    assertThat(first.get("holds").getAsBoolean()).isTrue();
    JsonObject second = found.getAsJsonArray("gates").get(1).getAsJsonObject();
    assertThat(second.get("holds").getAsBoolean()).isFalse();
    assertThat(second.get("found").getAsDouble()).isLessThan(1);
  }

  @Test
  void junitHasACaseForEachBoundAndScope() throws IOException {
    Path report = Files.writeString(folder.resolve("report.xml"), "of the last run");
    verify(
        "--junit", report, "--max-kl", 1e-6, "--min-top1", "1%", "--data", "kjv=" + TEXT, HELD_OUT);

    assertThat(Files.readString(report))
        .contains("<testsuite name=\"mone-onnx verify\" tests=\"4\" failures=\"2\" errors=\"0\">")
        .contains("name=\"total: mean KL divergence\"><failure message=\"total: mean KL divergence")
        .contains("name=\"kjv: mean KL divergence\"><failure")
        .contains("name=\"total: same first token\"/>", "name=\"kjv: same first token\"/>");
  }

  @Test
  void junitWithoutBoundsSaysThatItRan() throws IOException {
    Path report = folder.resolve("report.xml");
    verify("--junit", report).succeeds();

    assertThat(Files.readString(report))
        .contains("tests=\"1\" failures=\"0\"", "name=\"ran on 2 sequences\"");
  }

  @Test
  void aReportReplacesNoInput() {
    Path model = shared.resolve("pruned.onnx");

    verify("--junit", model).fails(BAD_INPUT, model, "is read as an input");
    verify("--junit", folder).fails(BAD_INPUT, folder, "is a folder");
  }

  @Test
  void aGraphThatIsNoLanguageModelHasErrorsOfOutputs() throws IOException {
    Path model = tiny(TINY, "tiny.onnx");
    Cli shown = verify(model, model, "--data", rows()).succeeds();

    assertThat(shown.out())
        .containsPattern("y +total +0.00 +1.000000\n")
        .contains("missing  no next token is scored")
        .doesNotContain("perplexity  ", "KL mean");
    verify(model, model, "--data", rows(), "--max-relative-error", 0).succeeds();
    verify(model, model, "--data", rows(), "--max-kl", 1)
        .fails(BAD_INPUT, model, "no language model", "mean KL divergence");
  }

  @Test
  void aModelWithoutBlocksIsComparedWithoutThem() throws IOException {
    Path model = tiny(TINY.with("y = Add (x, routed)", "y = Tanh (x)"), "plain.onnx");

    assertThat(verify(model, model, "--data", rows()).succeeds().out())
        .containsPattern("y +total +0.00")
        .containsPattern("missing  .*(refused|no Mixture-of-Experts block was found)")
        .doesNotContain("block  ");
  }

  @Test
  void modelsThatTakeOtherInputsAreRefused() throws IOException {
    Path model = tiny(TINY, "tiny.onnx");

    verify(TwoLayers.MODEL, model)
        .fails(BAD_INPUT, model, "only the first has the input 'input_ids'");
  }

  @Test
  void numbersThatAreNoneAreToldAsInfinite() throws IOException {
    Path model = tiny(TINY, "tiny.onnx");
    Path broken =
        tiny(
            TINY.with("y = Add (x, routed)", "worse = Log (x)\n  y = Add (worse, routed)"),
            "broken.onnx");
    Cli shown = verify(model, broken, "--data", rows()).succeeds();

    assertThat(shown.out()).containsPattern("y +total +infinite +-\n");
    assertThat(verify(model, broken, "--data", rows(), "--max-relative-error", 9).code())
        .isEqualTo(CHECK_FAILED);
    assertThat(json(verify(model, broken, "--json", "--data", rows())).toString())
        .contains("\"y\":{\"relativeError\":null,\"cosine\":null}");
  }

  @ParameterizedTest
  @CsvSource({
    "--max-kl, -1, expected a number from 0",
    "--max-kl, NaN, expected a number from 0",
    "--min-top1, 99, such as 2% or 0.02",
    "--min-top1, 101%, such as 0.99 or 99%",
    "--max-ppl-increase, -2%, expected a number from 0",
    "--max-ppl-increase, 2, such as 2% or 0.02",
    "--max-relative-error, Infinity, expected a number from 0",
    "--max-kl, much, such as 0.05",
  })
  void boundsThatAreNoneAreRefused(String option, String value, String wanted) {
    verify(option, value).fails(BAD_INPUT, option, wanted);
  }

  @Test
  void theOriginalComesFirst() {
    verify(pruned, TwoLayers.MODEL, "--data", HELD_OUT)
        .fails(BAD_INPUT, pruned, "was pruned itself");
  }

  @Test
  void filesThatAreMissingAreNamed() {
    Path missing = folder.resolve("missing.onnx");

    verify(TwoLayers.MODEL, missing).fails(BAD_INPUT, missing);
    verify("--data", missing).fails(BAD_INPUT, missing, "no such file");
  }

  /** The model with a mask among its inputs, which it does not read. */
  private Path masked() {
    GraphEdit edit = new GraphEdit(OnnxReader.read(TwoLayers.MODEL));
    edit.addInput(
        Value.of("attention_mask", ElementType.INT64, Dimension.of("batch"), Dimension.of("seq")));
    Path file = folder.resolve("masked.onnx");
    OnnxWriter.write(edit.apply(), file, Placement.INLINE);
    return file;
  }

  private Path tiny(TinyMoe tiny, String name) {
    Path file = folder.resolve(name);
    OnnxWriter.write(tiny.model(), file, Placement.INLINE);
    return file;
  }

  private Path rows() throws IOException {
    Tensor x = Tensor.of(List.of(3L, 4L), 1f, 2, 3, 4, -1, 0, 1, -2, 5, 0, 0, 1);
    return Fixtures.npz(
        folder.resolve("x.npz"), Map.of("x", Fixtures.npy("<f4", "(3, 4)", bytes(x))));
  }

  private static byte[] longs(long... values) {
    return Fixtures.npy("<i8", "(2, 4)", bytes(Tensor.vector(values)));
  }

  private static byte[] bytes(Tensor tensor) {
    byte[] bytes = new byte[tensor.bytes().remaining()];
    tensor.bytes().get(bytes);
    return bytes;
  }
}
