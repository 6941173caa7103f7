package io.moneonnx.cli;

import static java.nio.file.attribute.PosixFilePermission.GROUP_READ;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.moneonnx.TinyMoe;
import io.moneonnx.data.Fixtures;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.plan.TargetSize;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every command on a real model, as a user types it. */
class CommandsTest {
  private static final List<String> SHORT =
      List.of("--blocks", "1", "--seq-len", "32", "--device", "cpu");

  @TempDir private static Path shared;
  @TempDir private Path folder;

  private static Path profile;
  private static Path plan;
  private Path out;

  @BeforeAll
  static void measuresAndPlans() {
    profile = shared.resolve("olmoe.profile");
    plan = shared.resolve("plan.json");
    run("calibrate", TwoLayers.MODEL, "-o", profile).succeeds();
    Cli.run("plan", profile, "--ratio", "0.5", "-o", plan).succeeds();
  }

  @BeforeEach
  void choosesAnOutput() {
    out = folder.resolve("pruned.onnx");
  }

  /** Runs a command that calibrates, on little. */
  private static Cli run(Object... args) {
    return Cli.run(Stream.concat(Arrays.stream(args), SHORT.stream()).toArray());
  }

  private Cli rewrite(Object... options) {
    return Cli.run(
        Stream.concat(
                Stream.of(
                    "rewrite", TwoLayers.MODEL, "--profile", profile, "-o", out, "--device", "cpu"),
                Arrays.stream(options))
            .toArray());
  }

  @Test
  void inspectListsBlocksAsATable() {
    Cli inspected = Cli.run("inspect", Cli.OLMOE).succeeds();

    assertThat(inspected.out().lines()).hasSize(5);
    assertThat(inspected.out()).contains("layers.0  sparse-loop       16      4     128");
    assertThat(inspected.err()).isEmpty();
  }

  @Test
  void inspectGivesJson() {
    JsonObject json = json(Cli.run("inspect", Cli.OLMOE, "--json").succeeds().out());

    JsonObject block = json.getAsJsonArray("blocks").get(0).getAsJsonObject();
    assertThat(block.get("experts").getAsInt()).isEqualTo(16);
    assertThat(block.get("topK").getAsInt()).isEqualTo(4);
    assertThat(block.get("hidden").getAsInt()).isEqualTo(128);
    JsonObject ffn = block.getAsJsonObject("ffn");
    assertThat(ffn.get("kind").getAsString()).isEqualTo("gated");
    assertThat(ffn.get("activation").getAsString()).isEqualTo("silu");
    assertThat(ffn.get("inner").getAsInt()).isEqualTo(96);
    assertThat(block.get("precision").getAsString()).isEqualTo("float");
    assertThat(json.getAsJsonArray("refused")).isEmpty();
    assertThat(json.getAsJsonArray("warnings")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "cuda", "TensorRT"})
  void unfusedBlocksAreTheSameForEveryTarget(String target) {
    assertThat(Cli.run("inspect", Cli.OLMOE, "--target", target).succeeds().out())
        .isEqualTo(Cli.run("inspect", Cli.OLMOE).succeeds().out());
  }

  @Test
  void calibrationIsFoundBesideTheModelAndNamed() {
    Path written = folder.resolve("p");

    Cli calibrated = run("calibrate", TwoLayers.MODEL, "-o", written).succeeds();

    assertThat(calibrated.err()).contains("calibration data: ", "calibration.txt");
    assertThat(calibrated.out()).isEqualTo(written + ": 2 blocks, 32 tokens, on cpu\n");
  }

  @Test
  void aProfileIsReadableToOthers() throws IOException {
    assumeThat(Files.getFileStore(profile).supportsFileAttributeView("posix")).isTrue();

    assertThat(Files.getPosixFilePermissions(profile)).contains(GROUP_READ);
  }

  @Test
  void showGivesEveryStatisticAsJson() {
    JsonObject json = json(Cli.run("show", profile, "--json").succeeds().out());

    JsonObject block = json.getAsJsonArray("blocks").get(0).getAsJsonObject();
    assertThat(block.get("experts").getAsInt()).isEqualTo(16);
    long chosen = 0;
    for (var count : block.getAsJsonArray("n")) {
      chosen += count.getAsLong();
    }
    assertThat(chosen).isEqualTo(32 * 4);
    assertThat(block.getAsJsonArray("mean").get(0).getAsJsonArray()).hasSize(128);
  }

  @Test
  void exportsToStandardOutputWhatShowGives() {
    assertThat(Cli.run("export", profile).succeeds().out().strip())
        .isEqualTo(Cli.run("show", profile, "--json").succeeds().out().strip());
  }

  @ParameterizedTest
  @CsvSource({"json, {", "safetensors, __metadata__"})
  void exportsToAFile(String format, String part) throws IOException {
    Path file = folder.resolve("exported");

    Cli exported = Cli.run("export", profile, "--format", format, "-o", file, "--force").succeeds();

    assertThat(exported.out()).isEqualTo(file + "\n");
    assertThat(Files.readString(file, StandardCharsets.ISO_8859_1)).contains(part);
    Cli.run("export", profile, "--format", format, "-o", file)
        .fails(ExitCode.BAD_INPUT, "exists already");
  }

  @ParameterizedTest
  @CsvSource({"a.json, {", "a.safetensors, __metadata__", "a.txt, {"})
  void exportsAsTheNameOfTheFileSays(String name, String part) throws IOException {
    Path file = folder.resolve(name);

    Cli.run("export", profile, "-o", file).succeeds();

    assertThat(Files.readString(file, StandardCharsets.ISO_8859_1)).contains(part);
  }

  @ParameterizedTest
  @ValueSource(strings = {"rewrite", "golden check", "help"})
  void helpIsThatOfTheCommand(String command) {
    List<String> words = new ArrayList<>(List.of(command.split(" ")));
    words.add(0, "help");
    List<String> asked = new ArrayList<>(List.of(command.split(" ")));
    asked.add("--help");

    assertThat(Cli.run(words.toArray()).succeeds().out())
        .isEqualTo(Cli.run(asked.toArray()).succeeds().out())
        .startsWith("Usage: mone-onnx " + command);
  }

  @Test
  void helpWithoutACommandNamesAll() {
    assertThat(Cli.run("help").succeeds().out()).isEqualTo(Cli.run("--help").succeeds().out());
  }

  @Test
  void planTakesHalfOfEachBlock() throws IOException {
    JsonArray blocks = json(Files.readString(plan)).getAsJsonArray("blocks");

    assertThat(blocks).hasSize(2);
    assertThat(blocks)
        .allSatisfy(
            block ->
                assertThat(block.getAsJsonObject().getAsJsonArray("pruned").asList()).hasSize(8));
  }

  @Test
  void planSaysWhatItDoesAndWhatItCosts() {
    Cli planned =
        Cli.run("plan", profile, "--ratio", "0.25", "-o", folder.resolve("a.json")).succeeds();

    assertThat(planned.out())
        .startsWith(
            "block     experts  pruned  calls  error  margin  which\nlayers.0       16       4")
        .contains("plan     mone, ratio 0.25, scope layer; novice mean, router keep: 8 of 32 exp")
        .contains("of the routed calls meet a novice")
        .contains("unstable not known: fewer than two shards hold data")
        .contains("starved  layers.1: 8.0 calls an expert are too few to tell experts apart")
        .endsWith("written  " + folder.resolve("a.json") + "\n");
  }

  @Test
  void outputThatCannotBeWrittenIsNotPassedOver() throws IOException {
    Path full = Path.of("/dev/full");
    assumeThat(full).exists();
    PrintStream before = System.out;
    try (PrintStream nowhere =
        new PrintStream(Files.newOutputStream(full), true, StandardCharsets.UTF_8)) {
      System.setOut(nowhere);
      assertThat(Main.run("export", profile.toString())).isEqualTo(ExitCode.ENVIRONMENT);
    } finally {
      System.setOut(before);
    }
  }

  @Test
  void numbersAreWrittenAlikeInEveryCountry() throws IOException {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.GERMANY);
      Cli shown = Cli.run("show", profile).succeeds();

      assertThat(shown.out())
          .contains(String.format(Locale.ROOT, "%,d bytes", Files.size(TwoLayers.MODEL)))
          .containsPattern("\\d\\.\\d\\d%");
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void aSweepWritesAPlanARatio() throws IOException {
    Path sweep = folder.resolve("s.json");

    Cli planned = Cli.run("plan", profile, "--ratio", "0.25:0.75:0.25", "-o", sweep).succeeds();

    assertThat(Cli.names(folder)).containsExactly("s-0.25.json", "s-0.50.json", "s-0.75.json");
    assertThat(planned.out().lines()).hasSize(4);
    assertThat(Files.readString(folder.resolve("s-0.50.json")))
        .isEqualTo(Files.readString(plan).replace("0.5", "0.50"));
  }

  @Test
  void planTellsProgramsWhatItCosts() throws IOException {
    Path sweep = folder.resolve("s.json");

    String text =
        Cli.run("plan", profile, "--ratio", "0.25:0.5:0.25", "-o", sweep, "--json")
            .succeeds()
            .out();

    JsonArray plans = JsonParser.parseString(text).getAsJsonArray();
    assertThat(plans).hasSize(2);
    JsonObject half = plans.get(1).getAsJsonObject();
    assertThat(half.get("file").getAsString()).isEqualTo(folder.resolve("s-0.50.json").toString());
    assertThat(half.get("bytes").getAsLong()).isPositive();
    assertThat(half.get("shards").isJsonNull()).isTrue();
    JsonObject block = half.getAsJsonArray("blocks").get(0).getAsJsonObject();
    assertThat(block.getAsJsonArray("pruned")).hasSize(8);
    assertThat(block.get("calls").getAsDouble()).isBetween(0.0, 1.0);
    assertThat(block.get("unstable").isJsonNull()).isTrue();
  }

  @Test
  void helpNamesChoicesAsTheyAreWritten() {
    assertThat(Cli.run("plan", "--help").succeeds().out().replaceAll("\\s+", " "))
        .contains("layer, model", "none, block, residual", "keep, cut", "mean, gate2, zero");
  }

  @Test
  void countsThatDifferAreSaidToDiffer() throws IOException {
    Path model = folder.resolve("m.json");

    Cli planned =
        Cli.run("plan", profile, "--prune-count", 19, "--scope", "model", "-o", model).succeeds();

    assertThat(planned.out()).contains("note     blocks keep different numbers of experts, ");
    assertThat(Files.readString(model)).contains("\"note\": \"blocks keep different numbers");
    rewrite("--plan", model, "--no-verify").succeeds();
  }

  @ParameterizedTest
  @ValueSource(strings = {"6.5MB", "5.5MB", "4.5MiB", "3.5MB"})
  void theWrittenFileIsAsSmallAsWasAsked(String size) throws IOException {
    rewrite("--target-size", size, "--no-verify").succeeds();

    long wanted = TargetSize.parse(size).bytes();
    assertThat(Files.size(out)).isBetween(wanted - 350_000, wanted);
  }

  @Test
  void aCutRouterIsPlannedAndNoErrorPredicted() {
    Cli planned =
        Cli.run("plan", profile, "--router", "cut", "-o", folder.resolve("c.json")).succeeds();

    assertThat(planned.out())
        .contains(
            "of the routed calls go to other experts", "error    not predicted: a cut router");
  }

  @Test
  void aPlanMayBeEditedByHand() throws IOException {
    JsonObject edited = json(Files.readString(plan));
    JsonArray blocks = edited.getAsJsonArray("blocks");
    JsonArray chosen = new JsonArray();
    chosen.add(3);
    blocks.get(0).getAsJsonObject().add("pruned", chosen);
    while (blocks.size() > 1) {
      blocks.remove(1);
    }
    Path file = Files.writeString(folder.resolve("edited.json"), edited.toString());

    Cli rewritten = rewrite("--plan", file, "--no-verify").succeeds();

    assertThat(rewritten.out())
        .containsPattern("layers.0 +16 +15 +1")
        .containsPattern("layers.1 +16 +16 +0");
  }

  @Test
  void aPlanMayCutTheRouter() throws IOException {
    String text = Files.readString(plan).replace("\"keep\"", "\"cut\"");

    Cli rewritten = rewrite("--plan", Files.writeString(folder.resolve("cut.json"), text));

    assertThat(rewritten.succeeds().out())
        .containsPattern("block +experts +kept +removed")
        .containsPattern("layers.1 +16 +8 +8")
        .contains("proof    largest relative error");
    assertThat(OnnxReader.read(out).metadata())
        .containsEntry("mone-onnx.router", "cut")
        .doesNotContainKey("mone-onnx.novice");
  }

  @Test
  void rewriteDoesWhatIsMissingByItself() throws IOException {
    Cli rewritten = run("rewrite", Cli.OLMOE, "--ratio", "0.5", "-o", out).succeeds();

    assertThat(rewritten.out())
        .contains("proof    largest relative error", "moved    logits", "written  " + out);
    assertThat(Files.size(out)).isLessThan(Files.size(Cli.OLMOE) * 65 / 100);
    assertThat(Cli.names(folder)).containsExactly("pruned.onnx");
  }

  @Test
  void theDefaultOutputLiesBesideTheModel() throws IOException {
    Path model = Files.copy(TwoLayers.MODEL, folder.resolve("a b.onnx"));

    Cli.run("rewrite", model, "--profile", profile, "--no-verify").succeeds();

    assertThat(Cli.names(folder)).containsExactly("a b.mone.onnx", "a b.onnx");
  }

  @Test
  void namesMayHoldSpacesAndAnyLetters() throws IOException {
    Path place = Files.createDirectories(folder.resolve("größere Modelle"));
    Path model = Files.copy(TwoLayers.MODEL, place.resolve("модель 1.onnx"));
    Files.copy(TwoLayers.MODEL.resolveSibling("tokenizer.json"), place.resolve("tokenizer.json"));
    Path text = Files.writeString(place.resolve("текст.txt"), "In the beginning ".repeat(40));

    run("rewrite", model, "--data", text, "--no-verify").succeeds();

    assertThat(place.resolve("модель 1.mone.onnx")).exists();
  }

  @Test
  void zeroNovicesAreOtherNovices() {
    rewrite("--plan", plan, "--no-verify").succeeds();
    float[] mean = logits(out);
    Path zero = folder.resolve("zero.json");
    Cli.run("plan", profile, "--ratio", "0.5", "--novice", "zero", "-o", zero).succeeds();
    rewrite("--plan", zero, "--force", "--no-verify").succeeds();

    assertThat(logits(out)).isNotEqualTo(mean);
  }

  @Test
  void externalWeightsGoToOneFileBesideTheModel() throws IOException {
    rewrite("--plan", plan, "--no-verify").succeeds();
    float[] inline = logits(out);
    Path apart = folder.resolve("apart.onnx");

    Cli rewritten =
        Cli.run(
            "rewrite",
            TwoLayers.MODEL,
            "--profile",
            profile,
            "--plan",
            plan,
            "-o",
            apart,
            "--external",
            "--device",
            "cpu");

    assertThat(rewritten.succeeds().out()).contains("written  " + apart + ".data");
    assertThat(logits(apart)).isEqualTo(inline);
    assertThat(Cli.names(folder)).containsExactly("apart.onnx", "apart.onnx.data", "pruned.onnx");
  }

  @Test
  void aProfileIsProvedOnTheDataBesideTheModel() {
    Cli rewritten = rewrite("--novice", "zero").succeeds();

    assertThat(rewritten.out()).contains("moved    logits", "on calibration data");
    assertThat(rewritten.err()).contains("calibration.txt, found in the model's directory");
  }

  @Test
  void aModelWithExternalWeightsStaysSo() throws IOException {
    Path model = folder.resolve("apart.onnx");
    OnnxWriter.write(OnnxReader.read(TwoLayers.MODEL), model, Placement.EXTERNAL);

    Cli.run("rewrite", model, "--profile", profile, "-o", out, "--device", "cpu").succeeds();

    assertThat(Cli.names(folder)).contains("pruned.onnx", "pruned.onnx.data");
  }

  @Test
  void sizesAreThoseOfTheFilesWhereLinksLeadToThem() throws IOException {
    Path model =
        Files.copy(TwoLayers.MODEL, Files.createDirectory(folder.resolve("x")).resolve("m"));
    Path link = Files.createSymbolicLink(folder.resolve("link.onnx"), model);

    Cli rewritten =
        Cli.run("rewrite", link, "--profile", profile, "-o", out, "--no-verify").succeeds();

    assertThat(rewritten.out()).contains("size     %,d -> ".formatted(Files.size(TwoLayers.MODEL)));
  }

  @Test
  void anUnprovedModelIsSaidToBeUnproved() {
    assertThat(rewrite("--no-verify").succeeds().out()).contains("proof    left out (--no-verify)");
  }

  @Test
  void forceReplacesAnOutput() throws IOException {
    Files.writeString(out, "old");

    rewrite("--force", "--no-verify").succeeds();

    assertThat(Files.size(out)).isGreaterThan(1_000_000);
  }

  @Test
  void jsonLinesHaveAFieldForTheirText() throws IOException {
    Path lines = folder.resolve("t.jsonl");
    Files.writeString(lines, "{\"body\": \"%s\"}\n".formatted("In the beginning ".repeat(40)));

    Cli calibrated =
        run(
            "calibrate",
            TwoLayers.MODEL,
            "--data",
            lines,
            "--field",
            "body",
            "-o",
            folder.resolve("p"));

    assertThat(calibrated.succeeds().out()).contains("32 tokens");
  }

  @Test
  void batchesChangeNoCounts() {
    Path one = folder.resolve("one");
    Path three = folder.resolve("three");
    Object[] common = {"--blocks", "3", "--seq-len", "32", "--device", "cpu", "--threads", "1"};

    Cli.run(concat(common, "calibrate", TwoLayers.MODEL, "-o", one)).succeeds();
    Cli.run(concat(common, "calibrate", TwoLayers.MODEL, "-o", three, "--batch", "3")).succeeds();

    assertThat(counts(three)).isEqualTo(counts(one));
  }

  @Test
  void saysHowMuchAModelWithoutTokensWasCalibratedOn() throws IOException {
    TinyMoe tiny = TinyMoe.Spelling.GATHERED.of(4, 2, 4);
    Path model = folder.resolve("tiny.onnx");
    OnnxWriter.write(tiny.model(), model, Placement.INLINE);
    ByteBuffer x = tiny.tokens(12, 1).bytes();
    byte[] elements = new byte[x.remaining()];
    x.get(elements);
    byte[] array = Fixtures.npy("<f4", "(12, 4)", elements);
    Path data = Fixtures.npz(folder.resolve("x.npz"), Map.of("x", array));
    Cli calibrated = run("calibrate", model, "--data", data, "-o", folder.resolve("p")).succeeds();

    assertThat(calibrated.err()).contains("calibrating\n");
    assertThat(calibrated.out()).contains("1 blocks, 1 tokens");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"inspect", "calibrate", "plan", "rewrite", "verify", "show", "merge", "export"})
  void everyCommandHasHelp(String command) {
    Cli help = Cli.run(command, "--help").succeeds();

    assertThat(help.out()).startsWith("Usage: mone-onnx " + command);
    assertThat(help.err()).isEmpty();
  }

  private static Object[] concat(Object[] last, Object... first) {
    return Stream.concat(Arrays.stream(first), Arrays.stream(last)).toArray();
  }

  private static JsonArray counts(Path profile) {
    return json(Cli.run("show", profile, "--json").succeeds().out())
        .getAsJsonArray("blocks")
        .get(0)
        .getAsJsonObject()
        .getAsJsonArray("n");
  }

  private static JsonObject json(String text) {
    return JsonParser.parseString(text).getAsJsonObject();
  }

  private static float[] logits(Path model) {
    ByteBuffer ids = ByteBuffer.allocateDirect(8 * 8).order(ByteOrder.nativeOrder());
    for (long id = 0; id < 8; id++) {
      ids.putLong(100 * id);
    }
    Tensor.Inline tokens = new Tensor.Inline(ElementType.INT64, List.of(1L, 8L), ids.flip());
    try (Session session = Session.open(model, RunOptions.cpu())) {
      Tensor logits = session.run(Map.of("input_ids", tokens), List.of("logits")).get("logits");
      return ((Tensor.Inline) logits).toFloats();
    }
  }

  @Test
  void versionSaysWhatAReportNeeds() {
    List<String> said = Cli.run("--version").succeeds().out().lines().toList();

    assertThat(said).first().asString().matches("mone-onnx \\S+");
    assertThat(said)
        .anyMatch(line -> line.matches("ONNX Runtime [0-9.]+ \\(onnxruntime(_gpu)?, \\S+\\)"))
        .contains("ONNX opset 13 and later, IR version 13 and earlier", "device cpu")
        .anyMatch(line -> line.startsWith("Java " + System.getProperty("java.version") + " ("))
        .anyMatch(line -> line.matches("device cuda: .+"))
        .anyMatch(line -> line.matches("device tensorrt: .+"));
  }
}
