package io.moneonnx.cli;

import static io.moneonnx.cli.ExitCode.BAD_INPUT;
import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.data.Fixtures;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.ProfileFile;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Statistics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Calibration data that the user gives names to. */
class TaggedDataTest {
  private static final Path TEXT = TwoLayers.MODEL.resolveSibling("calibration.txt");
  private static final Path OTHER = TwoLayers.MODEL.resolveSibling("heldout.txt");

  @TempDir private Path folder;
  private Path out;

  @BeforeEach
  void choosesAnOutput() {
    out = folder.resolve("out");
  }

  private Cli calibrate(Object... options) {
    return calibrate(TwoLayers.MODEL, options);
  }

  private Cli calibrate(Path model, Object... options) {
    return Cli.run(
        Stream.concat(
                Stream.of("calibrate", model, "-o", out, "--device", "cpu", "--seq-len", 16),
                Arrays.stream(options))
            .toArray());
  }

  private SortedMap<String, Statistics> sources() {
    return ProfileFile.read(out).blocks().get(0).slices().sources();
  }

  @Test
  void eachTagHasItsOwnStatistics() {
    calibrate("--data", "code=" + TEXT, "prose=" + OTHER, "--blocks", 3).succeeds();

    Profile profile = ProfileFile.read(out);
    assertThat(profile.runs().get(0).sources())
        .extracting(Profile.Source::tag)
        .containsExactly(Optional.of("code"), Optional.of("prose"));
    assertThat(sources()).containsOnlyKeys("code", "prose");
    assertThat(sources().get("code").get(Statistic.T).count(0)).isEqualTo(3 * 16);
    assertThat(sources().get("prose").get(Statistic.T).count(0)).isEqualTo(3 * 16);
    assertThat(profile.tokens()).isEqualTo(6 * 16);
  }

  @Tag("exhaustive")
  @Test
  void aTagIsMeasuredAsItWouldBeAlone() {
    calibrate("--data", "code=" + TEXT, "prose=" + OTHER, "--blocks", 3).succeeds();
    Statistics beside = sources().get("prose");
    Path alone = folder.resolve("alone");
    Cli.run(
            "calibrate",
            TwoLayers.MODEL,
            "-o",
            alone,
            "--device",
            "cpu",
            "--seq-len",
            16,
            "--data",
            OTHER,
            "--blocks",
            3)
        .succeeds();
    BlockStatistics block = ProfileFile.read(alone).blocks().get(0);

    assertThat(block.slices().sources()).isEmpty();
    assertThat(beside.get(Statistic.N)).isEqualTo(block.get(Statistic.N));
    assertThat(beside.get(Statistic.B1)).isEqualTo(block.get(Statistic.B1));
  }

  @Test
  void batchesDoNotMixTags() {
    calibrate("--data", "a=" + TEXT, "--data", "b=" + OTHER, "--blocks", 3, "--batch", 2)
        .succeeds();

    assertThat(sources().get("a").get(Statistic.T).count(0)).isEqualTo(3 * 16);
    assertThat(ProfileFile.read(out).blocks().get(0).slices().shards()).hasSize(4);
  }

  @Test
  void filesOfOneTagAreOneSequence() throws IOException {
    Path half = Files.writeString(folder.resolve("half.txt"), "And God said");
    Path rest = Files.writeString(folder.resolve("rest.txt"), "Let there be light, ".repeat(20));

    Cli cli = calibrate("--data", "a=" + half, "b=" + OTHER, "a=" + rest, "--blocks", 2);

    cli.succeeds();
    assertThat(cli.err()).doesNotContain("less than one block");
    assertThat(sources().get("a").get(Statistic.T).count(0)).isEqualTo(2 * 16);
  }

  @Tag("exhaustive")
  @Test
  void aFileOfTheWholeNameIsNoTag() throws IOException {
    Path file = Files.copy(TEXT, folder.resolve("a=b.txt"));

    calibrate("--data", file, "--blocks", 1).succeeds();
    assertThat(sources()).isEmpty();
    Files.delete(out);

    calibrate("--data", "tag=" + file, "--blocks", 1).succeeds();
    assertThat(sources()).containsOnlyKeys("tag");
  }

  @Test
  void aMissingFileWithAnEqualsSignIsCalledByItsName() {
    calibrate("--data", folder.resolve("a=b.txt")).fails(BAD_INPUT, "a=b.txt: no such file");
    calibrate("--data", "a=" + folder.resolve("none")).fails(BAD_INPUT, folder + "/none: no such");
  }

  @ParameterizedTest
  @ValueSource(strings = {"=x.txt", "code="})
  void halfATag(String given) {
    calibrate("--data", given).fails(BAD_INPUT, "'" + given + "'", "expected FILE or TAG=FILE");
  }

  @Test
  void aSourceThatHoldsLessThanAskedForIsNamed() throws IOException {
    Path text = Files.writeString(folder.resolve("few.txt"), "Let there be light, ".repeat(20));

    Cli cli = calibrate("--data", "few=" + text, "many=" + OTHER, "--blocks", 50).succeeds();

    assertThat(cli.err().lines().filter(line -> line.contains("fewer than the 50 asked for")))
        .singleElement()
        .asString()
        .startsWith("'few': ");
    assertThat(sources().get("many").get(Statistic.T).count(0)).isEqualTo(50 * 16);
  }

  @Test
  void aSourceThatHoldsLessThanOneBlockIsNamed() throws IOException {
    Path text = Files.writeString(folder.resolve("few.txt"), "Light");

    assertThat(calibrate("--data", "few=" + text, "many=" + OTHER, "--blocks", 1).succeeds().err())
        .containsPattern("'few': \\d+ tokens, less than one block of 16: taken as it is");
  }

  @Test
  void aFileThatIsNotNeededIsNamed() {
    assertThat(calibrate("--data", TEXT, OTHER, "--blocks", 1).succeeds().err())
        .contains("not read, for there are enough blocks without: " + OTHER);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a=", ""})
  void anEmptySourceBesideOthers(String tag) throws IOException {
    Path empty = Files.writeString(folder.resolve("empty.txt"), "");

    calibrate("--data", tag + empty, "b=" + OTHER).fails(BAD_INPUT, "empty.txt holds no text");
    calibrate("--data", "b=" + OTHER, "b=" + empty).fails(BAD_INPUT, "empty.txt holds no text");
  }

  @Test
  void aTokenizerWithMoreIdsThanTheModelNamesTheFile() throws IOException {
    String tokenizer = Files.readString(TwoLayers.MODEL.resolveSibling("tokenizer.json"));
    Path wider =
        Files.writeString(
            folder.resolve("wider.json"), tokenizer.replaceAll("(\"e\": ?)\\d+", "$15000"));
    assertThat(wider).content().isNotEqualTo(tokenizer);

    calibrate("--tokenizer", wider, "--data", "a=" + TEXT)
        .fails(
            BAD_INPUT,
            "wider.json makes token id 5000 of " + TEXT,
            "the model knows ids below 1024");
  }

  @Test
  void tokensThatTheMaskHidesDoNotCount() throws IOException {
    Path arrays =
        Fixtures.npz(
            folder.resolve("padded.npz"),
            Map.of(
                "input_ids", longs(2, 8, 5, 6, 7, 8, 9, 0, 0, 0, 9, 8, 7, 6, 5, 4, 3, 0),
                "attention_mask", longs(2, 8, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0)));

    calibrate(
            masked(),
            "--data",
            "padded=" + arrays,
            "text=" + OTHER,
            "--blocks",
            2,
            "--batch",
            2,
            "--tokenizer",
            TwoLayers.MODEL.resolveSibling("tokenizer.json"))
        .succeeds();

    Profile profile = ProfileFile.read(out);
    assertThat(sources().get("padded").get(Statistic.T).count(0)).isEqualTo(12);
    assertThat(profile.tokens()).isEqualTo(12 + 2 * 16);
    assertThat(profile.runs().get(0).sources().get(0).tokens()).isEqualTo(12);
    assertThat(profile.blocks().get(0).get(Statistic.T).count(0)).isEqualTo(12 + 2 * 16);
  }

  /** The model with a mask among its inputs, which it does not read. */
  private Path masked() {
    Model model = OnnxReader.read(TwoLayers.MODEL);
    GraphEdit edit = new GraphEdit(model);
    edit.addInput(
        Value.of("attention_mask", ElementType.INT64, Dimension.of("batch"), Dimension.of("seq")));
    Path file = folder.resolve("masked.onnx");
    OnnxWriter.write(edit.apply(), file, Placement.INLINE);
    return file;
  }

  /** The model with NaN for what the token with id 5 stands for. */
  private Path poisoned() {
    Model model = OnnxReader.read(TwoLayers.MODEL);
    String table =
        model.graph().consumers("input_ids").stream()
            .filter(node -> node.is("Gather"))
            .map(node -> node.input(0))
            .findFirst()
            .orElseThrow();
    Tensor tensor = model.graph().initializers().get(table).tensor();
    float[] values = tensor.toFloats();
    int width = Math.toIntExact(tensor.dims().get(1));
    Arrays.fill(values, 5 * width, 6 * width, Float.NaN);
    Path file = folder.resolve("poisoned.onnx");
    OnnxWriter.write(
        TinyMoe.withInitializer(model, table, Tensor.of(tensor.dims(), values)),
        file,
        Placement.INLINE);
    return file;
  }

  private Path arrays() throws IOException {
    return Fixtures.npz(
        folder.resolve("ids.npz"),
        Map.of("input_ids", longs(3, 4, 1, 2, 3, 4, 6, 7, 8, 9, 5, 10, 11, 12)));
  }

  @Test
  void whatIsNotFiniteIsNamedByFileSampleAndPosition() throws IOException {
    calibrate(poisoned(), "--data", "a=" + arrays(), "--batch", 2)
        .fails(
            BAD_INPUT,
            "block 'layers.0': the output of expert ",
            " is not finite at position 0 of sample 2 of " + folder.resolve("ids.npz"),
            "--skip-nonfinite");
    assertThat(out).doesNotExist();
  }

  @Test
  void whatIsNotFiniteMayBeLeftOutAndIsCounted() throws IOException {
    Path model = poisoned();

    Cli cli =
        calibrate(model, "--data", "a=" + arrays(), "--batch", 2, "--skip-nonfinite").succeeds();

    assertThat(cli.err())
        .contains("left out, for something of theirs was not finite: 4 tokens in 'layers.0'");
    Profile profile = ProfileFile.read(out);
    assertThat(profile.runs().get(0).notes().get("skipped"))
        .startsWith("4 tokens in 'layers.0', 4 tokens in 'layers.1'");
    assertThat(profile.blocks())
        .allSatisfy(block -> assertThat(block.get(Statistic.T).count(0)).isEqualTo(8));
    assertThat(sources().get("a").get(Statistic.T).count(0)).isEqualTo(8);
  }

  private static byte[] longs(int rows, int columns, long... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.stream(values).forEach(bytes::putLong);
    return Fixtures.npy("<i8", "(%d, %d)".formatted(rows, columns), bytes.array());
  }

  @ParameterizedTest
  @CsvSource({"60", "-1s", "5 m", "s", "soon"})
  void aTimeBetweenCheckpointsThatIsNone(String time) {
    calibrate("--checkpoint=" + time).fails(BAD_INPUT, "--checkpoint: found '" + time + "'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "0", "500ms", "1h"})
  void timesBetweenCheckpoints(String time) {
    calibrate("--blocks", 1, "--checkpoint", time).succeeds();
  }

  @Test
  void theModelWritesTextItselfWhereItIsAskedTo() {
    calibrate("--data", "self:40", "B=" + TEXT, "--blocks", 2).succeeds();

    Profile.Run run = ProfileFile.read(out).runs().get(0);
    assertThat(run.sources())
        .extracting(Profile.Source::name)
        .containsExactly("calibration.txt", "self:32");
    assertThat(run.notes().get("own text")).startsWith("32 tokens that the model wrote itself");
    assertThat(sources()).containsOnlyKeys("B");
    String first = run.sources().get(1).sha256();
    calibrate("--data", "self:32", "--force").succeeds();
    assertThat(ProfileFile.read(out).runs().get(0).sources().get(0).sha256()).isEqualTo(first);
  }

  @Test
  void aModelOfOwnTextSaysSo() {
    Path written = folder.resolve("written.onnx");
    Cli.run(
            "rewrite",
            TwoLayers.MODEL,
            "--data",
            "self:64",
            "--seq-len",
            16,
            "--ratio",
            0.25,
            "-o",
            written,
            "--device",
            "cpu")
        .succeeds();
    assertThat(OnnxReader.read(written).metadata().get("mone-onnx.calibration"))
        .startsWith("64 tokens that the model wrote itself");
  }

  @ParameterizedTest
  @ValueSource(strings = {"self:", "self:x", "self:1", "self:-3"})
  void textOfItsOwnHasALength(String source) {
    calibrate("--data", source).fails(BAD_INPUT, "--data " + source, "expected a number of 2");
  }
}
