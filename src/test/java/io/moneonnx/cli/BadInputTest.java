package io.moneonnx.cli;

import static io.moneonnx.cli.ExitCode.BAD_INPUT;
import static io.moneonnx.cli.ExitCode.ENVIRONMENT;
import static io.moneonnx.cli.ExitCode.NOTHING_TO_DO;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.data.Fixtures;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.Target;
import io.moneonnx.pipeline.LoadedModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever is wrong with what the user gave: one message, an exit code, and nothing written. */
class BadInputTest {
  private static final Path TEXT = TwoLayers.MODEL.resolveSibling("calibration.txt");

  @TempDir private static Path shared;
  @TempDir private Path folder;

  private static Path profile;
  private static Path plan;

  /** Where results would go: a folder of its own, so that nothing in it is nothing written. */
  private Path results;

  private Path out;

  @BeforeAll
  static void measuresAndPlans() {
    profile = shared.resolve("olmoe.profile");
    plan = shared.resolve("plan.json");
    Cli.run(
            "calibrate",
            TwoLayers.MODEL,
            "-o",
            profile,
            "--blocks",
            1,
            "--seq-len",
            32,
            "--device",
            "cpu")
        .succeeds();
    Cli.run("plan", profile, "-o", plan).succeeds();
  }

  @BeforeEach
  void makesRoomForResults() throws IOException {
    results = Files.createDirectory(folder.resolve("results"));
    out = results.resolve("out");
  }

  @AfterEach
  void nothingIsWritten() throws IOException {
    assertThat(Cli.names(results)).isEmpty();
  }

  private Cli rewrite(Object... options) {
    return Cli.run(
        concat(
            new Object[] {
              "rewrite", TwoLayers.MODEL, "--profile", profile, "-o", out, "--device", "cpu"
            },
            options));
  }

  /** Rewrites a model that has not been measured. */
  private Cli rewriteModel(Path model, Object... options) {
    return Cli.run(
        concat(
            new Object[] {
              "rewrite", model, "--data", TEXT, "--tokenizer", tokenizer(), "--blocks", 1
            },
            concat(new Object[] {"--seq-len", 32, "-o", out, "--device", "cpu"}, options)));
  }

  private Cli calibrate(Object... options) {
    return Cli.run(
        concat(
            new Object[] {
              "calibrate", TwoLayers.MODEL, "-o", out, "--device", "cpu", "--seq-len", 32
            },
            options));
  }

  private static Object[] concat(Object[] first, Object... last) {
    return Stream.concat(Arrays.stream(first), Arrays.stream(last)).toArray();
  }

  private static Path tokenizer() {
    return TwoLayers.MODEL.resolveSibling("tokenizer.json");
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private Path file(String name, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes);
  }

  // The command line

  @Test
  void noCommand() {
    Cli.run().fails(BAD_INPUT, "a command is missing", "rewrite");
  }

  @Test
  void anUnknownCommand() {
    Cli.run("prune", TwoLayers.MODEL).fails(BAD_INPUT, "no command 'prune'", "rewrite");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "rewrit MODEL | no command 'rewrit'; did you mean 'rewrite'?",
        "golden chek MODEL | no command 'chek'; did you mean 'check'?",
        "help rewirte | no command 'rewirte'; did you mean 'rewrite'?",
        "help golden none | no command 'none'; there are record, check",
        "inspect MODEL --jsn | no option '--jsn' of inspect; did you mean '--json'?",
        "rewrite --ratoi=0.5 MODEL | no option '--ratoi' of rewrite; did you mean '--ratio'?",
        "inspect MODEL other | 'other' is more than inspect takes",
        "rewrite MODEL --novice men | option --novice: found 'men', expected one of mean, gate2,"
            + " zero; did you mean 'mean'?",
        "rewrite MODEL --ratio 50 | ratio 50 is not between 0 and 1; did you mean 50%?",
        "inspect nowhere/model.onnx | no such file: there is no folder 'nowhere'",
      })
  void whatIsNearlyRight(String line, String message) {
    Cli.run(args(line)).fails(BAD_INPUT, message);
  }

  @Test
  void aFileOfNearlyTheNameOfAnother() {
    Cli.run("inspect", TwoLayers.MODEL.resolveSibling("modle.onnx"))
        .fails(BAD_INPUT, "modle.onnx: no such file; did you mean 'model.onnx'?");
  }

  @ParameterizedTest
  @CsvSource({
    "calibrate --data a.txt --dat b.txt, --dat",
    "calibrate --data a.txt --ratoi 0.5, --ratoi",
    "calibrate --data=a.txt b.txt -x, -x",
    "verify MODEL --data a.txt --tokeniser t.json, --tokeniser",
    "golden record --data a.txt --force --data a.txt --ou p, --ou",
    "eval --perplexity a.txt --winow 8, --winow",
    "eval --tasks a.jsonl --smples s.jsonl, --smples",
    "compare --profile p --test a.txt --raito 0.5, --raito",
    "rewrite --max-ppl-increase 2% --eval-data a.txt --ouput o, --ouput",
  })
  void anUnknownOptionIsNoValueOfTheOptionBefore(String line, String unknown) {
    Cli.run(args(line + " MODEL")).fails(BAD_INPUT, "no option '" + unknown + "' of ");
  }

  @ParameterizedTest
  @CsvSource({
    "calibrate --data none.txt MODEL -o OUT, none.txt: no such file",
    "calibrate -o OUT --data none.txt none.txt FOLDER, none.txt: no such file",
    "calibrate --data=none.txt MODEL -o OUT, none.txt: no such file",
    "calibrate -o OUT --data none.txt none.onnx, none.onnx: no such file",
    "rewrite -o OUT --max-ppl-increase 2% --eval-data none.txt MODEL, none.txt: no such file",
    "eval --perplexity none.txt MODEL, none.txt: no such file",
    "eval --tasks none.jsonl MODEL, none.jsonl: no such file",
    "verify MODEL --data none.txt MODEL, none.txt: no such file",
    "verify --data none.txt MODEL MODEL, none.txt: no such file",
    "golden record -o OUT --data none.txt MODEL, none.txt: no such file",
    "calibrate MODEL -o OUT --data none.txt none.onnx, none.txt: no such file",
    "calibrate --data MODEL -o OUT, Missing required parameter",
    "calibrate --data none.txt none.txt -o OUT, Missing required parameter",
  })
  void aModelAfterTheValuesOfAnOptionIsTheModel(String line, String message) {
    Cli.run(args(line)).fails(BAD_INPUT, message);
  }

  private Object[] args(String line) {
    return Stream.of(line.split(" "))
        .map(arg -> arg.equals("MODEL") ? "" + TwoLayers.MODEL : arg)
        .map(arg -> arg.equals("FOLDER") ? "" + TwoLayers.MODEL.getParent() : arg)
        .map(arg -> arg.equals("OUT") ? "" + out : arg)
        .toArray();
  }

  @Test
  void noModel() {
    Cli.run("inspect").fails(BAD_INPUT, "MODEL");
  }

  @Test
  void aMessageAboutTheCommandLineIsShort() {
    assertThat(Cli.run("rewrite").err().lines()).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource({
    "--ratio, 0",
    "--ratio, 1",
    "--ratio, -1",
    "--ratio, half",
    "--ratio, NaN",
    "--ratio, 50%%",
    "--ratio, 1e-9",
    "--criterion, nope",
    "--novice, median",
    "--target, tpu",
    "--threads, -1",
    "--threads, 99999999",
    "--threads, many"
  })
  void aValueThatAnOptionDoesNotTake(String option, String value) {
    Cli failed = rewrite(option, value);

    failed.fails(BAD_INPUT, value.equals("1e-9") ? "ratio 1E-9 prunes no expert" : value);
    assertThat(failed.err()).doesNotContain("checking");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--blocks", "--seq-len", "--batch"})
  void aCountBelowOne(String option) {
    Cli.run("calibrate", TwoLayers.MODEL, "-o", out, option, 0)
        .fails(BAD_INPUT, "found 0, expected 1");
  }

  @Test
  void aRatioThatPrunesNothingIsToldBeforeAnythingIsMeasured() {
    Cli failed = rewriteModel(TwoLayers.MODEL, "--ratio", "0.01");

    failed.fails(BAD_INPUT, "ratio 0.01 prunes no expert", "0.0625");
    assertThat(failed.err()).doesNotContain("calibrating");
  }

  @Test
  void aPlanAndARatio() {
    rewrite("--plan", plan, "--ratio", "0.5").fails(BAD_INPUT, "--plan", "--ratio");
  }

  @ParameterizedTest
  @CsvSource({
    "--prune-count, 4",
    "--target-size, 5MB",
    "--frequency-below, 0.1",
    "--spread-below, 0.1",
    "--scope, model",
    "--min-keep, 2",
    "--protect, 0:1",
    "--router, cut",
    "--criterion, reap"
  })
  void aPlanAndWhatItSaysItself(String option, String value) {
    rewrite("--plan", plan, option, value)
        .fails(BAD_INPUT, "--plan says which experts go; leave out " + option);
  }

  @ParameterizedTest
  @CsvSource({
    "--prune-count 2, --ratio and --prune-count each say how many",
    "--target-size 5MB, --ratio and --target-size each say how many",
    "--spread-below 0.1, --ratio and --spread-below each say how many",
    "--normalise block, --normalise requires --scope model",
    "--router cut --novice zero, --novice requires --router keep",
    "--seed 3, --seed requires --criterion random",
    "--protect 0:99, has no expert 99; its experts are 0 to 15",
    "--protect mlp:0, 'no block ''mlp''; there are layers.0'",
    "--protect zero, expected BLOCK:EXPERT",
    "--min-keep -1, 'min-keep: found -1, expected 0 or more'",
    "--min-keep 15, 'block ''layers.0'': 4 of its 16 experts were to go, 1 can: 15 must stay'",
    "--router cut --min-keep 3, min-keep 3 with router cut",
  })
  void optionsThatDoNotGoTogether(String options, String message) {
    Object[] all = concat(new Object[] {"--ratio", "0.25"}, (Object[]) options.split(" "));

    Cli.run(concat(new Object[] {"plan", profile, "-o", out}, all)).fails(BAD_INPUT, message);
    rewrite(all).fails(BAD_INPUT, message);
  }

  @ParameterizedTest
  @CsvSource({
    "--prune-count 16, 'block ''layers.0'': 16 of its 16 experts were to go, 15 can'",
    "--prune-count 31 --scope model, '31 of 32 experts were to go, 30 can'",
    "--prune-count 0, 'prune-count: found 0, expected 1 or more'",
    "--prune-count many, --prune-count",
    "--target-size 1kB, target-size 1kB cannot be met: without all experts that can go (30 of 32)",
    "--target-size 1GB, target-size 1GB prunes no expert: the model has",
    "--target-size big, 'target-size: found ''big'', expected a size such as 3.5GiB'",
    "--frequency-below 2, 'of its 16 experts lie below frequency-below 2.0, 15 can go'",
    "--frequency-below 0.01 --scope model, thresholds look at each block by itself",
    "--frequency-below -1, 'frequency-below: found -1.0, expected a number above 0'",
    "--ratio 1e-999999999, ratio 1E-999999999: expected a number between 0 and 1 with at most",
    "--ratio 0.5:0.1:0.1, the first is above the last",
    "--ratio 0.1:0.5, is neither one ratio nor FIRST:LAST:STEP",
    "--ratio 0.01 --scope model, 'of 32, ratio 0.0313 would prune one'",
  })
  void aBudgetThatCannotBeMet(String options, String message) {
    Object[] all = options.split(" ");

    Cli.run(concat(new Object[] {"plan", profile, "-o", out}, all)).fails(BAD_INPUT, message);
    rewrite(all).fails(BAD_INPUT, message);
  }

  /** What lies beside the model is read without being named. */
  @Test
  void anOutputInPlaceOfCalibrationDataBesideTheModel() throws IOException {
    Path model = Files.copy(TwoLayers.MODEL, folder.resolve("beside.onnx"));
    Path text = Files.copy(TEXT, folder.resolve("calibration.txt"));
    Files.copy(TwoLayers.MODEL.resolveSibling("tokenizer.json"), folder.resolve("tokenizer.json"));

    Cli.run("calibrate", model, "-o", text, "--force")
        .fails(BAD_INPUT, "calibration.txt: is read as an input");
    Cli.run("rewrite", model, "-o", text, "--force")
        .fails(BAD_INPUT, "calibration.txt: is read as an input");
    assertThat(text).hasSameBinaryContentAs(TEXT);
  }

  @Test
  void severalRatiosForOneModel() {
    rewrite("--ratio", "0.1:0.5:0.1").fails(BAD_INPUT, "0.1:0.5:0.1 makes 5 plans, expected one");
  }

  @Test
  void aFileThatIsThereStopsAllPlansOfASweep() throws IOException {
    Path there = file("plan-0.5.json", "mine");

    Cli.run("plan", profile, "--ratio", "0.3:0.5:0.1", "-o", folder.resolve("plan.json"))
        .fails(BAD_INPUT, "plan-0.5.json: exists already; --force");

    assertThat(there).hasContent("mine");
    assertThat(folder.resolve("plan-0.3.json")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({"--data, calibration.txt", "--blocks, 3", "--field, body", "--tokenizer, t.json"})
  void aProfileAndHowToMeasure(String option, String value) {
    rewrite(option, value).fails(BAD_INPUT, "--profile", "leave out " + option);
  }

  @ParameterizedTest
  @CsvSource({
    "--prune-count, 2.5, a whole number",
    "--min-keep, 99999999999, a whole number from -2147483648 to 2147483647",
    "--seed, x, a whole number",
    "--frequency-below, '0,05', 'a number, such as 0.05'",
    "--spread-below, 5%, a number"
  })
  void aNumberThatIsNone(String option, String value, String wanted) {
    Cli.run("plan", profile, "-o", out, option, value)
        .fails(BAD_INPUT, option, "found '" + value + "', expected " + wanted);
  }

  @Test
  void aNameThatIsEmpty() {
    Cli.run("plan", "", "-o", out).fails(BAD_INPUT, "PROFILE", "the name is empty");
    calibrate("--data", "").fails(BAD_INPUT, "--data: the name is empty");
  }

  @Test
  void aCriterionWhereThresholdsDecide() {
    Cli.run("plan", profile, "-o", out, "--criterion", "reap", "--frequency-below", 0.02)
        .fails(BAD_INPUT, "--frequency-below takes all experts below it; leave out --criterion");
  }

  @Test
  void moreExpertsOfTheWholeModelThanCanGo() {
    Cli.run("plan", profile, "-o", out, "--scope", "model", "--prune-count", 31)
        .fails(
            BAD_INPUT, "31 of 32", "30 can: in each of 2 blocks some stay, of 'layers.0' 1 must");
  }

  @Test
  void inlineAndExternal() {
    rewrite("--inline", "--external").fails(BAD_INPUT, "--inline", "--external");
  }

  @ParameterizedTest
  @ValueSource(strings = {"nonsense", "cuda:-1", "cuda:", "gpu"})
  void aDeviceThatIsNone(String device) {
    Cli.run("calibrate", TwoLayers.MODEL, "-o", out, "--device", device)
        .fails(BAD_INPUT, "device '" + device + "' is none of auto, cpu, cuda, cuda:N, tensorrt");
  }

  @Test
  void cudaWithoutADriver() {
    assumeThat(Path.of("/dev/nvidiactl")).doesNotExist();

    Cli failed =
        Cli.run("rewrite", TwoLayers.MODEL, "--profile", profile, "-o", out, "--device", "cuda");

    failed.fails(ENVIRONMENT, "device cuda:0");
    assertThat(failed.err().lines()).hasSize(1);
  }

  // The model

  @Test
  void aModelThatIsMissing() {
    rewriteModel(folder.resolve("nope.onnx")).fails(BAD_INPUT, "nope.onnx: no such file");
  }

  @Test
  void aFolderForAModel() {
    rewriteModel(folder)
        .fails(BAD_INPUT, folder + ": is a folder, expected one .onnx file in it", "found none");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "plain text, not a graph", "{\"a\": 1}", "PK\u0003\u0004"})
  void aFileThatIsNoModel(String content) throws IOException {
    rewriteModel(file("text.onnx", content)).fails(BAD_INPUT, "text.onnx: is ");
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.000001, 0.001, 0.1, 0.5, 0.9, 0.999, 0.9999999})
  void aModelThatIsCutShort(double kept) throws IOException {
    byte[] whole = Files.readAllBytes(Cli.OLMOE);

    Path cut = file("cut.onnx", Arrays.copyOf(whole, 1 + (int) (whole.length * kept)));

    rewriteModel(cut).fails(BAD_INPUT, "cut.onnx: is no ONNX file, or is cut short");
  }

  @Test
  void aModelThatReadsWhatNothingMakes() {
    Node last = lastNode();
    List<String> inputs = new ArrayList<>(last.inputs());
    inputs.set(0, "nowhere");

    rewriteModel(withLastNode(last.withInputs(inputs)))
        .fails(
            BAD_INPUT,
            "broken.onnx: ",
            "uses 'nowhere', which no node, input or initializer defines");
  }

  @Test
  void aModelThatTheRuntimeDoesNotTake() {
    Node last = lastNode();
    Node unknown = Node.of("NoSuchOperator", last.inputs(), last.outputs(), Map.of());

    rewriteModel(withLastNode(unknown))
        .fails(BAD_INPUT, "ONNX Runtime does not take", "broken.onnx: ", "NoSuchOperator");
  }

  private static Node lastNode() {
    List<Node> nodes = OnnxReader.read(TwoLayers.MODEL).graph().nodes();
    return nodes.get(nodes.size() - 1);
  }

  private Path withLastNode(Node node) {
    Model model = OnnxReader.read(TwoLayers.MODEL);
    List<Node> nodes = new ArrayList<>(model.graph().nodes());
    nodes.set(nodes.size() - 1, node);
    Path broken = folder.resolve("broken.onnx");
    OnnxWriter.write(model.withGraph(model.graph().withNodes(nodes)), broken, Placement.INLINE);
    return broken;
  }

  /** Nodes that contradict the shapes of their constants. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "y = Transpose <perm = [1, 2]> (x) | perm is [1, 2], expected an order of 2 axes",
        "a = Transpose <perm = [0, 2, 1]> (w) y = Transpose <perm = [1, 0]> (a)"
            + " | perm is [0, 2, 1], expected an order of 2 axes",
        "a = Concat <axis = 4> (w, w) y = Gather (a, i) | axis is 4, expected one of 2 axes",
        "a = Concat <axis = 0> (w, i) y = Gather (a, i) | joins shapes [2, 3] and []",
        "a = Squeeze (w, far) y = Gather (a, i) | axis 7, expected one of 2 axes",
      })
  void aModelThatContradictsItself(String nodes, String message) {
    String text =
        "g (float[2, 2] x) => (float[...] y) <float[2, 3] w, int64 i = {0}, int64[1] far = {7}>"
            + " { %s }".formatted(nodes);

    Cli.run("inspect", written("contrary.onnx", text))
        .fails(BAD_INPUT, "contrary.onnx: node '", message);
  }

  private Path written(String name, String text) {
    Path file = folder.resolve(name);
    Model model =
        new Model(GraphText.parse(text), 8, Map.of("", 17L), Map.of(), UnknownFields.NONE);
    OnnxWriter.write(model, file, Placement.INLINE);
    return file;
  }

  /** A link to a device is a file like any other, and has no end. */
  @ParameterizedTest
  @CsvSource({
    "rewrite MODEL --plan ENDLESS -o OUT, endless.txt: more than",
    "calibrate MODEL --data ENDLESS -o OUT, endless.txt is no text in UTF-8",
    "calibrate MODEL --tokenizer ENDLESS -o OUT, endless.txt: more than",
    "show ENDLESS, endless.txt is no profile",
    "golden check MODEL ENDLESS, endless.txt",
    "inspect ENDLESS, endless.txt",
  })
  void anEndlessDevice(String line, String message) throws IOException {
    assumeThat(Path.of("/dev/zero")).exists();
    Path endless = folder.resolve("endless.txt");
    Files.createSymbolicLink(endless, Path.of("/dev/zero"));

    Cli.run(args(line.replace("ENDLESS", endless.toString()))).fails(BAD_INPUT, message);
  }

  /** What comes out of a file does not steer the terminal, and a message has an end. */
  @Test
  void namesOfControlCharactersAndOfAnyLength() {
    String name = "\u001b[31m\t" + "n".repeat(100_000);
    Node last = lastNode();
    List<String> inputs = new ArrayList<>(last.inputs());
    inputs.set(0, name);

    Cli ended = rewriteModel(withLastNode(last.withInputs(inputs)));

    ended.fails(BAD_INPUT, "uses '\\u001b[31m\\tnnn", "nnn', which no node", " characters) ... ");
    assertThat(ended.err()).hasSizeLessThan(3000);
  }

  @Test
  void namesOfControlCharactersInATable() {
    TinyMoe tiny = Spelling.DYNAMO.of(4, 2, 4);
    Graph graph = TinyMoe.renamed(tiny.graph(), name -> "\u001b[31m" + name);
    Path named = folder.resolve("named.onnx");
    OnnxWriter.write(tiny.model().withGraph(graph), named, Placement.INLINE);

    Cli shown = Cli.run("inspect", named).succeeds();

    assertThat(shown.out()).contains("\\u001b[31m").doesNotContain("\u001b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"inspect", "rewrite"})
  void aModelWithoutExperts(String command) throws IOException {
    Path relu = written("relu.onnx", "g (float[1] x) => (float[1] y) { y = Relu (x) }");

    Cli ended = command.equals("inspect") ? Cli.run("inspect", relu) : rewriteModel(relu);

    assertThat(ended.code()).isEqualTo(NOTHING_TO_DO);
    assertThat(ended.out() + ended.err()).containsIgnoringCase("no Mixture-of-Experts block");
  }

  // Comparing

  private Cli compare(Path model, Object... options) {
    return Cli.run(
        concat(new Object[] {"compare", model, "--profile", profile, "--device", "cpu"}, options));
  }

  @ParameterizedTest
  @CsvSource({
    "--criterion, 'mone,best', no criterion 'best'",
    "--ratio,     '0.25,1',    ratio 1 is not between 0 and 1",
    "--ratio,     0.01,        ratio 0.01 prunes no expert",
    "--novice,    median,      --novice",
    "--normalise, block,       --normalise requires --scope model",
    "--min-keep,  -1,          'min-keep: found -1, expected 0 or more'",
    "--test,      none.txt,    none.txt: no such file",
  })
  void whatIsToBeComparedIsNotThere(String option, String value, String message) {
    compare(TwoLayers.MODEL, option, value).fails(BAD_INPUT, message);
  }

  @Test
  void testDataWithoutAnyTokens() throws IOException {
    compare(TwoLayers.MODEL, "--test", file("empty.txt", ""))
        .fails(BAD_INPUT, "empty.txt holds no text");
  }

  @Test
  void testDataOfOneToken() throws IOException {
    compare(TwoLayers.MODEL, "--test", file("one.txt", "a"))
        .fails(BAD_INPUT, "no sequence of two tokens");
  }

  @Test
  void twoTestsOfOneName() throws IOException {
    compare(TwoLayers.MODEL, "--test", "a=" + file("a.txt", "a"), "--test", "a=" + TEXT)
        .fails(BAD_INPUT, "two files are called 'a'");
  }

  @Test
  void noTestDataBesideTheModel() throws IOException {
    Path model = Files.copy(TwoLayers.MODEL, folder.resolve("model.onnx"));

    compare(model).fails(BAD_INPUT, "no held-out data", "--test", "heldout.txt");
  }

  @Test
  void compareWithAProfileOfAnotherModel() {
    Path tuned = folder.resolve("tuned.onnx");
    tune(OnnxReader.read(TwoLayers.MODEL), tuned);

    compare(tuned).fails(BAD_INPUT, "olmoe.profile: is of another model");
  }

  @Test
  void compareAModelWithoutLogits() throws IOException {
    Model model = OnnxReader.read(TwoLayers.MODEL);
    Path headless = folder.resolve("headless.onnx");
    Value flat = Value.undeclared(model.graph().outputs().get(0).name());
    OnnxWriter.write(
        model.withGraph(model.graph().withOutputs(List.of(flat))), headless, Placement.INLINE);

    compare(headless, "--test", TEXT).fails(BAD_INPUT, "has no logits", "only logits");
  }

  /** The model with the logits of its routers as outputs: they cannot be cut. */
  private Path withRouterLogits() {
    Model model = OnnxReader.read(TwoLayers.MODEL);
    List<String> routers =
        LoadedModel.open(TwoLayers.MODEL, Target.CPU).blocks().stream()
            .map(block -> block.routing().router())
            .toList();
    List<Value> outputs = new ArrayList<>(model.graph().outputs());
    model.graph().nodes().stream()
        .filter(node -> node.inputs().stream().anyMatch(routers::contains))
        .forEach(node -> outputs.add(Value.undeclared(node.output())));
    Path open = folder.resolve("open.onnx");
    OnnxWriter.write(model.withGraph(model.graph().withOutputs(outputs)), open, Placement.INLINE);
    return open;
  }

  @ParameterizedTest
  @ValueSource(strings = {"compare", "rewrite"})
  void aRouterThatCannotBeCutIsToldBeforeAnythingIsMeasured(String command) {
    Cli cut =
        command.equals("compare")
            ? compare(withRouterLogits(), "--test", TEXT, "--router", "keep,cut")
            : Cli.run(command, withRouterLogits(), "--data", TEXT, "--router", "cut");

    cut.fails(
        BAD_INPUT,
        "block 'layers.0': its router cannot be cut: the scores",
        "are an output of the model");
    assertThat(cut.err()).doesNotContain("trying", "test data", "calibrat");
  }

  @Test
  void compareAModelWithoutTokens() throws IOException {
    Path vectors = folder.resolve("vectors.onnx");
    OnnxWriter.write(Spelling.TORCHSCRIPT.of(4, 2, 4).model(), vectors, Placement.INLINE);

    compare(vectors).fails(BAD_INPUT, "takes no token ids", "only x");
  }

  @Test
  void groupsThatWouldNotHoldWhatTheirRouterChooses() throws IOException {
    TinyMoe tiny =
        Spelling.GATHERED.of(8, 3, 4).inPairs().with("(pairRanks, k)", "(pairRanks, two)");
    tiny = tiny.with("int64[1] pairBest", "int64[1] two = {2}, int64[1] pairBest");
    Path model = folder.resolve("pairs.onnx");
    OnnxWriter.write(tiny.model(), model, Placement.INLINE);
    ByteBuffer x = tiny.tokens(12, 1).bytes();
    byte[] elements = new byte[x.remaining()];
    x.get(elements);
    Path data =
        Fixtures.npz(
            folder.resolve("x.npz"), Map.of("x", Fixtures.npy("<f4", "(12, 4)", elements)));

    Cli.run(
            "rewrite",
            model,
            "--data",
            data,
            "-o",
            out,
            "--device",
            "cpu",
            "--router",
            "cut",
            "--prune-count",
            4,
            "--protect",
            "0:0,0:2,0:4,0:6")
        .fails(
            BAD_INPUT,
            "block 'experts': its router cannot be cut: it chooses 2 of 4 groups of 2 experts",
            "would find only 2 in 0-1 and 2-3: prune fewer, or protect some of these (--protect)");
  }

  // External data

  private Path external() {
    Path model = folder.resolve("apart.onnx");
    OnnxWriter.write(OnnxReader.read(TwoLayers.MODEL), model, Placement.EXTERNAL);
    return model;
  }

  @Test
  void externalDataThatIsMissing() throws IOException {
    Path model = external();
    Files.delete(folder.resolve("apart.onnx.data"));

    rewriteModel(model).fails(BAD_INPUT, "apart.onnx", "'apart.onnx.data' is missing");
  }

  @Test
  void externalDataThatIsTooShort() throws IOException {
    Path model = external();
    Path data = folder.resolve("apart.onnx.data");
    byte[] bytes = Files.readAllBytes(data);
    Files.write(data, Arrays.copyOf(bytes, bytes.length - 4));

    rewriteModel(model).fails(BAD_INPUT, "apart.onnx", "which has only " + (bytes.length - 4));
  }

  @Test
  void externalDataThatALinkHasOutsideOfTheFolder() throws IOException {
    Path model = external();
    Path data = folder.resolve("apart.onnx.data");
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Files.move(model, elsewhere.resolve("apart.onnx"));
    Files.createSymbolicLink(elsewhere.resolve("apart.onnx.data"), data);

    rewriteModel(elsewhere.resolve("apart.onnx")).fails(BAD_INPUT, "is outside the model's folder");
  }

  // Outputs

  @Test
  void anOutputThatIsThereAlready() throws IOException {
    Path there = file("there.onnx", "mine");

    Cli.run("rewrite", TwoLayers.MODEL, "--profile", profile, "-o", there)
        .fails(BAD_INPUT, "there.onnx: exists already; --force");

    assertThat(there).hasContent("mine");
  }

  @Test
  void aDataFileThatIsThereAlreadyIsToldBeforeAnythingIsMeasured() throws IOException {
    Path data = file("new.onnx.data", "mine");

    Cli.run("rewrite", TwoLayers.MODEL, "--profile", profile, "-o", folder.resolve("new.onnx"))
        .fails(BAD_INPUT, "new.onnx.data: exists already; --force");

    assertThat(data).hasContent("mine");
  }

  @Test
  void anOutputThatIsTheInputHoweverItIsCalled() throws IOException {
    Path model = Files.copy(TwoLayers.MODEL, folder.resolve("m.onnx"));
    Path link = Files.createSymbolicLink(folder.resolve("link.onnx"), model);

    for (Path same : List.of(model, link, folder.resolve("./results/../m.onnx"))) {
      Cli.run("rewrite", model, "--profile", profile, "-o", same, "--force")
          .fails(BAD_INPUT, "is read as an input");
    }
    assertThat(model).hasSameBinaryContentAs(TwoLayers.MODEL);
  }

  @Test
  void anOutputThatIsTheInputsDataFile() throws IOException {
    Path model = external();
    Path data = folder.resolve("apart.onnx.data");
    long bytes = Files.size(data);

    Cli.run("rewrite", model, "--profile", profile, "-o", data, "--force")
        .fails(BAD_INPUT, "apart.onnx.data: is read as an input");
    Path renamed = Files.move(model, folder.resolve("other.onnx"));
    Cli.run("rewrite", renamed, "--profile", profile, "-o", model, "--force")
        .fails(BAD_INPUT, "apart.onnx.data: is read as an input");

    assertThat(data).hasSize(bytes);
  }

  @Test
  void anOutputThatIsTheProfileOrThePlan() {
    Cli.run("rewrite", TwoLayers.MODEL, "--profile", profile, "-o", profile, "--force")
        .fails(BAD_INPUT, "olmoe.profile: is read as an input");
    Cli.run("rewrite", TwoLayers.MODEL, "--profile", profile, "--plan", plan, "-o", plan, "--force")
        .fails(BAD_INPUT, "plan.json: is read as an input");
    Cli.run("plan", profile, "-o", profile, "--force")
        .fails(BAD_INPUT, "olmoe.profile: is read as an input");
  }

  @Test
  void aProfileThatWouldReplaceTheDataItIsMeasuredOn() throws IOException {
    Path text = Files.copy(TEXT, folder.resolve("text.txt"));

    Cli.run("calibrate", TwoLayers.MODEL, "--data", text, "-o", text, "--force")
        .fails(BAD_INPUT, "text.txt: is read as an input");
  }

  @Test
  void anOutputInAFolderThatIsMissing() {
    Path nowhere = folder.resolve("nowhere");

    Cli.run("rewrite", TwoLayers.MODEL, "--profile", profile, "-o", nowhere.resolve("a.onnx"))
        .fails(BAD_INPUT, "there is no folder " + nowhere);
  }

  @ParameterizedTest
  @CsvSource({"'', the name is empty", "/, is a folder", "/dev/null, is a device or a pipe"})
  void anOutputThatIsNoFile(String name, String message) {
    Cli.run("rewrite", TwoLayers.MODEL, "--profile", profile, "-o", name, "--force")
        .fails(BAD_INPUT, message);
  }

  // Profiles

  @ParameterizedTest
  @ValueSource(strings = {"show", "plan", "rewrite"})
  void aProfileThatIsMissing(String command) {
    withProfile(command, folder.resolve("nope")).fails(BAD_INPUT, "nope: no such file");
  }

  @ParameterizedTest
  @ValueSource(strings = {"show", "plan", "rewrite"})
  void aFolderForAProfile(String command) {
    withProfile(command, folder).fails(BAD_INPUT, folder + ": is a folder, expected a profile");
  }

  @Test
  void tensorsForATerminal() {
    Cli.run("export", profile, "--format", "safetensors")
        .fails(BAD_INPUT, "safetensors", "name a file with -o");
  }

  @Test
  void anExportOfNoSuchFormat() {
    Cli.run("export", profile, "--format", "hdf5", "-o", out)
        .fails(BAD_INPUT, "hdf5", "expected one of json, safetensors");
  }

  private Cli withProfile(String command, Path file) {
    return switch (command) {
      case "show" -> Cli.run("show", file);
      case "plan" -> Cli.run("plan", file, "-o", out);
      default -> Cli.run("rewrite", TwoLayers.MODEL, "--profile", file, "-o", out);
    };
  }

  @Test
  void aProfileThatIsCutShort() throws IOException {
    byte[] bytes = Files.readAllBytes(profile);

    Cli.run("show", file("cut", Arrays.copyOf(bytes, bytes.length / 2)))
        .fails(BAD_INPUT, "cut is cut off: expected ", " bytes, found ");
  }

  @Test
  void aProfileOfAFineTune() {
    Model model = OnnxReader.read(TwoLayers.MODEL);
    Path tuned = folder.resolve("tuned.onnx");
    tune(model, tuned);

    Cli.run("rewrite", tuned, "--profile", profile, "-o", out)
        .fails(BAD_INPUT, "olmoe.profile: is of another model", "tuned.onnx");
  }

  /** Changes every big weight a little, as training does. */
  private static void tune(Model model, Path file) {
    Map<String, Initializer> initializers = new LinkedHashMap<>(model.graph().initializers());
    initializers.replaceAll((name, initializer) -> tuned(initializer));
    Graph graph = model.graph();
    OnnxWriter.write(
        model.withGraph(
            new Graph(
                graph.name(),
                graph.nodes(),
                initializers,
                graph.inputs(),
                graph.outputs(),
                graph.declared(),
                graph.rest())),
        file,
        Placement.INLINE);
  }

  private static Initializer tuned(Initializer initializer) {
    Tensor tensor = initializer.tensor();
    if (tensor.byteSize() < 4096) {
      return initializer;
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) tensor.byteSize()).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(tensor.bytes()).flip();
    bytes.putFloat(0, bytes.getFloat(0) * 1.001f);
    return Initializer.of(
        initializer.name(), new Tensor.Inline(tensor.type(), tensor.dims(), bytes));
  }

  // Plans

  private void plan(String found, String instead, Object... message) throws IOException {
    String text = Files.readString(plan);
    assertThat(text).containsPattern(found);
    Path edited = file("edited.json", text.replaceFirst(found, instead));

    rewrite("--plan", edited).fails(BAD_INPUT, concat(new Object[] {"edited.json: "}, message));
  }

  @Test
  void aPlanThatNamesAnExpertThatIsNotThere() throws IOException {
    plan("\\[\\d+", "[16", "block 'layers.0'", "expert 16", "0 to 15");
  }

  @Test
  void aPlanThatNamesAnExpertTwice() throws IOException {
    plan("\\[\\d+", "[3, 3", "block 'layers.0'", "expert 3 twice");
  }

  @Test
  void aPlanThatNamesABlockThatIsNotThere() throws IOException {
    plan("layers\\.0", "layers.9", "'layers.9' is not in the model", "layers.0, layers.1");
  }

  @Test
  void aPlanWithAnotherNumberOfExperts() throws IOException {
    plan("\"experts\": 16", "\"experts\": 32", "'layers.0' has 32 'experts', the model's has 16");
  }

  @Test
  void aPlanForAnotherModel() throws IOException {
    plan("sha256:\\w+", "sha256:0", "is for another model", "sha256:0,");
  }

  @Test
  void aPlanOfAnotherProfile() throws IOException {
    plan(
        "\"profile\": \"sha256:\\w+",
        "\"profile\": \"sha256:0",
        "was made from another profile",
        "'profile' is sha256:0, this profile is sha256:");
  }

  @Test
  void aPlanForAnotherNovice() {
    rewrite("--plan", plan, "--novice", "zero")
        .fails(BAD_INPUT, "plan.json: the plan is for novice mean, found --novice zero");
  }

  @Test
  void aPlanWithANoviceThatIsNone() throws IOException {
    plan("\"mean\"", "\"median\"", "'novice' wants \"mean\" or \"gate2\" or \"zero\"");
  }

  @Test
  void aPlanWithAKeyThatNobodyKnows() throws IOException {
    plan("\"pruned\"", "\"prune\"", "block 'layers.0'", "unknown key 'prune'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.5", "\"1\"", "1e99", "1e999999999", "null"})
  void aPlanWithAnExpertThatIsNoNumber(String expert) throws IOException {
    plan("\\[\\d+", "[" + expert, "'pruned' wants an integer, found " + expert);
  }

  @Test
  void aPlanThatEndsEarly() throws IOException {
    String text = Files.readString(plan);

    rewrite("--plan", file("cut.json", text.substring(0, text.indexOf("\"pruned\""))))
        .fails(BAD_INPUT, "cut.json: is no JSON: ends too early at line");
  }

  @ParameterizedTest
  @CsvSource({"'', the file is empty", "// hi, unexpected character at line 1", "[], wants an obj"})
  void aPlanThatIsNoPlan(String text, String message) throws IOException {
    rewrite("--plan", file("bad.json", text)).fails(BAD_INPUT, "bad.json", message);
  }

  @Test
  void aPlanThatIsMissing() {
    rewrite("--plan", folder.resolve("nope")).fails(BAD_INPUT, "nope: no such file");
  }

  @Test
  void aPlanThatPrunesNothing() throws IOException {
    String empty = Files.readString(plan).replaceAll("\\[[\\d, ]+\\]", "[]");

    rewrite("--plan", file("empty.json", empty)).fails(BAD_INPUT, "prunes no expert");
  }

  @Test
  void aCutRouterThatIsLeftTooFewToChooseFrom() throws IOException {
    String text =
        Files.readString(plan)
            .replace("\"keep\"", "\"cut\"")
            .replaceFirst("\\[[\\d,\\s]+\\]", "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]");

    rewrite("--plan", file("few.json", text))
        .fails(
            BAD_INPUT,
            "few.json: block 'layers.0': its router cannot be cut: 3 of 16 experts would be left"
                + " to a router that is cut and chooses 4");
  }

  @Test
  void aNoviceForARouterThatIsCut() throws IOException {
    String text =
        Files.readString(plan)
            .replace("\"keep\"", "\"cut\"")
            .replaceFirst("\"novice\": \"mean\",", "");

    rewrite("--plan", file("cut.json", text), "--novice", "zero")
        .fails(BAD_INPUT, "cut.json: the plan cuts the router", "leave out --novice zero");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/"})
  void aSweepWithoutANameForItsPlans(String name) {
    Cli.run("plan", profile, "--ratio", "0.25:0.5:0.25", "-o", name)
        .fails(BAD_INPUT, "expected a file");
  }

  @Test
  void aWrongPlanIsToldBeforeAnythingIsMeasured() throws IOException {
    String text = Files.readString(plan).replace("layers.0", "layers.9");

    Cli failed = rewriteModel(TwoLayers.MODEL, "--plan", file("bad.json", text));

    failed.fails(BAD_INPUT, "'layers.9' is not in the model");
    assertThat(failed.err()).doesNotContain("calibrating");
  }

  // Calibration data

  @Test
  void noDataAndNoneBesideTheModel() throws IOException {
    Path model = Files.copy(TwoLayers.MODEL, folder.resolve("m.onnx"));

    Cli.run("rewrite", model, "-o", out).fails(BAD_INPUT, "no calibration data", "--data");
  }

  @Test
  void textWithoutATokenizer() throws IOException {
    Path model = Files.copy(TwoLayers.MODEL, folder.resolve("m.onnx"));

    Cli.run("calibrate", model, "--data", TEXT, "-o", out)
        .fails(BAD_INPUT, "text needs a tokenizer", "--tokenizer", folder);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{\"a\": 1}", "{\"version\": ", "no JSON at all"})
  void aTokenizerThatIsNone(String text) throws IOException {
    calibrate("--tokenizer", file("t.json", text))
        .fails(BAD_INPUT, "t.json is no readable Hugging Face tokenizer");
  }

  @Test
  void dataThatAreMissing() {
    calibrate("--data", folder.resolve("nope.txt")).fails(BAD_INPUT, "nope.txt: no such file");
  }

  @ParameterizedTest
  @CsvSource({
    "d.txt, PAR1xxxx, ends in .parquet",
    "d.parquet.gz, x, unpack them",
    "d.arrow, x, .jsonl",
    "D.PDF, x, pdftotext",
    "d, %PDF-1.7, pdftotext",
    "d.docx, x, save it as .txt",
    "d.xlsx, x, save it as .csv",
    "d.zip, x, unpack it",
    "d.txt, PK\u0003\u0004xx, unpack it",
    "d.tar.gz, x, unpack it",
    "d.npz.gz, x, unpack them",
    "d.zst, x, pack it as .gz",
    "d.txt, BZh9, pack it as .gz",
    "d.bin, x, name text",
    "model.onnx, x, name text",
  })
  void dataOfAKindThatIsNotRead(String name, String begin, String advice) throws IOException {
    Path data = file(name, begin);

    calibrate("--data", data).fails(BAD_INPUT, data + ": is ", ", expected text: ", advice);
    Cli.run("eval", TwoLayers.MODEL, "--perplexity", data).fails(BAD_INPUT, data + ": is ", advice);
  }

  @Test
  void aParquetFileThatIsNone() throws IOException {
    Path data = file("d.parquet", "In the beginning\n");

    calibrate("--data", data)
        .fails(BAD_INPUT, data + " is no readable Parquet file: it does not begin with PAR1");
    Cli.run("eval", TwoLayers.MODEL, "--perplexity", data)
        .fails(BAD_INPUT, data + " is no readable");
  }

  @Test
  void aPackedFileThatIsNotCalledSo() throws IOException {
    byte[] packed = {0x1f, (byte) 0x8b, 8, 0};

    calibrate("--data", file("t.txt", packed)).fails(BAD_INPUT, "name that ends in .gz");
  }

  @ParameterizedTest
  @ValueSource(strings = {"t.txt", "t.jsonl", "t.json", "t.csv", "t"})
  void bytesThatAreNoText(String name) throws IOException {
    Path data = file(name, "{\"text\": \"In the beginning\u0000\"}\n");

    calibrate("--data", data).fails(BAD_INPUT, name + " is no text in UTF-8", "bytes that are 0");
  }

  @Test
  void wildcardsThatMatchNothing() {
    calibrate("--data", folder.resolve("*.txt")).fails(BAD_INPUT, "*.txt: no such file");
    calibrate("--data", folder.resolve("no/*.txt")).fails(BAD_INPUT, "*.txt: no such file");
    calibrate("--data", folder.resolve("[a")).fails(BAD_INPUT, "[a: no such file");
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.5, 0.9})
  void aPackedFileThatIsCutShort(double kept) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(Files.readAllBytes(TEXT));
    }
    byte[] cut = Arrays.copyOf(packed.toByteArray(), (int) (packed.size() * kept));

    calibrate("--data", file("t.txt.gz", cut)).fails(BAD_INPUT, "t.txt.gz is no readable .gz file");
  }

  @Test
  void aFolderForData() {
    calibrate("--data", folder).fails(BAD_INPUT, folder + ": is a folder, expected files", "none");
  }

  @ParameterizedTest
  @ValueSource(strings = {"data.csv", "data.tsv", "DATA.CSV"})
  void aTableOfSeveralColumnsAndNoneNamed(String name) throws IOException {
    String table = "id,body,label\n1,\"" + "word ".repeat(500) + "\",1\n";
    Path data = file(name, name.endsWith(".tsv") ? table.replace(',', '\t') : table);
    String message =
        data + ": found 3 columns, expected --field to name the one that holds the text: id, body";

    calibrate("--data", data).fails(BAD_INPUT, message);
    compare(TwoLayers.MODEL, "--test", data).fails(BAD_INPUT, message);
    rewrite("--max-ppl-increase", "5%", "--eval-data", data).fails(BAD_INPUT, message);
    Cli.run("eval", TwoLayers.MODEL, "--perplexity", data).fails(BAD_INPUT, message);
    Cli.run("verify", TwoLayers.MODEL, TwoLayers.MODEL, "--data", data).fails(BAD_INPUT, message);
    Cli.run("golden", "record", TwoLayers.MODEL, "--data", data, "-o", out)
        .fails(BAD_INPUT, message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"empty.txt", "empty.jsonl", "empty.npz", "empty.npy"})
  void dataThatAreEmpty(String name) throws IOException {
    calibrate("--data", file(name, "")).fails(BAD_INPUT, name);
  }

  @Test
  void textThatIsNoText() throws IOException {
    byte[] bytes = {(byte) 0xff, (byte) 0xfe, 0, 1};

    calibrate("--data", file("t.txt", bytes)).fails(BAD_INPUT, "t.txt is no text in UTF-8");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"{bad|ends too early", "[1]|no text in field 'text'", "{\"text\": 5}|no text"})
  void aLineThatIsNoDocument(String line, String message) throws IOException {
    Path lines = file("t.jsonl", "{\"text\": \"good\"}\n" + line + "\n");

    calibrate("--data", lines).fails(BAD_INPUT, "t.jsonl:2", message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "<i8; (2, 0); there is no token in it",
        "<i8; (0, 4); no samples",
        "<i8; (4,); shape [4]",
        "<i8; (1, 2, 2); shape [1, 2, 2]",
        "<f4; (1, 8); float, which does not become int64",
        "|O; (1, 4); dtype '|O'",
        "<i8; (999999999, 999999999); too large",
        "<i8; (1, 400); ends early"
      })
  void anArrayThatIsNoneOfTheModelsInputs(String type, String shape, String message)
      throws IOException {
    calibrate("--data", npy(type, shape)).fails(BAD_INPUT, "ids.npy", message);
  }

  @Test
  void tokensThatTheModelDoesNotKnow() throws IOException {
    Path tokens = npy("<i8", "(1, 4)");
    byte[] bytes = Files.readAllBytes(tokens);
    bytes[bytes.length - 31] = 4;
    Files.write(tokens, bytes);

    calibrate("--data", tokens).fails(BAD_INPUT, "ids.npy", "token id 1024, expected 0 to 1023");
  }

  /** A NumPy file whose header says this, and which has 32 bytes of zeros. */
  private Path npy(String type, String shape) throws IOException {
    String header =
        "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n".formatted(type, shape);
    byte[] text = header.getBytes(StandardCharsets.US_ASCII);
    ByteBuffer file = ByteBuffer.allocate(10 + text.length + 32).order(ByteOrder.LITTLE_ENDIAN);
    file.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII));
    file.put((byte) 1).put((byte) 0).putShort((short) text.length).put(text);
    return file("ids.npy", file.array());
  }
}
