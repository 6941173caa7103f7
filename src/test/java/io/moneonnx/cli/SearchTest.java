package io.moneonnx.cli;

import static io.moneonnx.cli.ExitCode.BAD_INPUT;
import static io.moneonnx.cli.ExitCode.NOTHING_TO_DO;
import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The largest ratio that held-out data bear, on a real model. */
class SearchTest {
  private static final Path TEXT = Cli.OLMOE.resolveSibling("calibration.txt");
  private static final Path OTHER = Cli.OLMOE.resolveSibling("heldout.txt");

  @TempDir private static Path shared;
  @TempDir private Path folder;

  private static Path profile;
  private static Path found;
  private static Cli searched;
  private Path out;

  @BeforeAll
  static void searchesAndProves() {
    profile = shared.resolve("olmoe.profile");
    found = shared.resolve("found.onnx");
    Cli.run("calibrate", Cli.OLMOE, "-o", profile, "--blocks", 8, "--device", "cpu").succeeds();
    searched =
        rewrite(found, "--max-ppl-increase", "10%", "--blocks", 4, "--seq-len", 64).succeeds();
  }

  @BeforeEach
  void choosesAnOutput() {
    out = folder.resolve("pruned.onnx");
  }

  private static Cli rewrite(Path out, Object... options) {
    return Cli.run(
        Stream.concat(
                Stream.of("rewrite", Cli.OLMOE, "--profile", profile, "-o", out, "--device", "cpu"),
                Stream.concat(Stream.of("--threads", 1), Arrays.stream(options)))
            .toArray());
  }

  private Cli search(Object... options) {
    return rewrite(
        out,
        Stream.concat(
                Stream.of("--blocks", 4, "--seq-len", 64, "--no-verify"), Arrays.stream(options))
            .toArray());
  }

  /** Rows of the table of trials that end so, as cells. */
  private static List<String[]> rows(Cli searched, String within) {
    return searched
        .out()
        .lines()
        .filter(line -> line.endsWith("  " + within))
        .map(line -> line.strip().split(" +"))
        .toList();
  }

  private static double percent(String cell) {
    return Double.parseDouble(cell.replace("%", ""));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--scope model", "--router cut", "--novice zero"})
  void findsARatioWithinTheLimitOfWhichTheNextIsNot(String options) throws IOException {
    Cli other =
        search(
            Stream.concat(Stream.of("--max-ppl-increase", "10%"), Stream.of(options.split(" ")))
                .toArray());

    isTheLargest(other.succeeds(), out, options.contains("model") ? 1 : 4);
  }

  @Test
  void takesTheSameNumberOfEachBlockIfNothingElseIsSaid() throws IOException {
    isTheLargest(searched, found, 4);
  }

  /** What was written is within the limit, and with so many experts more it would not be. */
  private static void isTheLargest(Cli searched, Path written, int step) {
    String[] best = rows(searched, "yes").get(rows(searched, "yes").size() - 1);
    String[] next = rows(searched, "no").get(0);
    assertThat(Integer.parseInt(next[1])).isEqualTo(Integer.parseInt(best[1]) + step);
    assertThat(percent(best[3])).isLessThanOrEqualTo(10);
    assertThat(percent(next[3])).isGreaterThan(10);
    assertThat(searched.out()).contains("(" + best[3] + ") on held-out data");
    assertThat(OnnxReader.read(written).metadata()).containsEntry("mone-onnx.ratio", best[0]);
  }

  @Test
  void writesWhatTheRatioThatItFindsWouldWrite() {
    List<String[]> within = rows(searched, "yes");

    rewrite(out, "--ratio", within.get(within.size() - 1)[0], "--no-verify").succeeds();

    assertThat(found).hasSameBinaryContentAs(out);
  }

  @Test
  void findsTheSameAgain() {
    Cli again = search("--max-ppl-increase", "0.1").succeeds();

    assertThat(trials(again)).isEqualTo(trials(searched));
    assertThat(out).hasSameBinaryContentAs(found);
  }

  private static String trials(Cli searched) {
    return searched.out().substring(0, searched.out().indexOf("\nblock "));
  }

  @Test
  void provesWhatItWrites() {
    assertThat(searched.out()).contains("proof    largest relative error");
    assertThat(searched.err())
        .contains(
            "heldout.txt, found in the model's directory", "trying up to 4 of 15 ratios on 4 seq");
  }

  @Test
  void everyTagKeepsToTheLimit() {
    Cli tagged =
        search("--max-ppl-increase", "10%", "--eval-data", "kjv=" + OTHER, "seen=" + TEXT)
            .succeeds();

    assertThat(tagged.out()).containsPattern("increase +kjv +seen +within");
    assertThat(rows(tagged, "yes"))
        .isNotEmpty()
        .allSatisfy(
            row ->
                assertThat(List.of(percent(row[3]), percent(row[4]), percent(row[5])))
                    .allMatch(increase -> increase <= 10));
    assertThat(rows(tagged, "no"))
        .isNotEmpty()
        .allSatisfy(
            row ->
                assertThat(List.of(percent(row[3]), percent(row[4]), percent(row[5])))
                    .anyMatch(increase -> increase > 10));
    assertThat(tagged.err()).contains("'calibration.txt' was calibrated on");
  }

  @Test
  void whereNoRatioKeepsToTheLimitNothingIsWritten() throws IOException {
    Cli none = search("--max-ppl-increase", 0, "--criterion", "random", "--router", "cut");

    assertThat(none.code()).isEqualTo(NOTHING_TO_DO);
    assertThat(rows(none, "no")).isNotEmpty();
    assertThat(rows(none, "yes")).isEmpty();
    assertThat(none.err())
        .contains("no ratio keeps to --max-ppl-increase +0.000%; nothing was written");
    assertThat(Cli.names(folder)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "--ratio 0.5, --max-ppl-increase and --ratio each say how many experts go",
    "--prune-count 4, --max-ppl-increase and --prune-count each say",
    "--target-size 9MB, --max-ppl-increase and --target-size each say",
    "--frequency-below 0.1, --max-ppl-increase and --frequency-below each say",
    "--spread-below 0.1, --max-ppl-increase and --spread-below each say",
    "--plan plan.json, --plan says which experts go; leave out --max-ppl-increase",
    "--data x.txt, --profile holds what was measured; leave out --data",
    "--skip-nonfinite, --profile holds what was measured; leave out --skip-nonfinite",
    "--min-keep 16, 'no expert can go: of the 16 in block ''layers.0'' 16 must stay at least'",
    "--normalise block, --normalise requires --scope model",
    "--eval-data missing.txt, missing.txt: no such file",
    "--eval-data =, '--eval-data: found ''='', expected FILE or TAG=FILE'",
  })
  void optionsThatDoNotGoTogether(String options, String message) throws IOException {
    search(
            Stream.concat(Stream.of("--max-ppl-increase", "2%"), Stream.of(options.split(" ")))
                .toArray())
        .fails(BAD_INPUT, message);
    assertThat(Cli.names(folder)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "-2%, '--max-ppl-increase: found -0.02, expected 0 or more'",
    "NaN, '--max-ppl-increase: found NaN, expected 0 or more'",
    "two, 'found ''two'', expected a part, such as 2% or 0.02'",
  })
  void aLimitThatIsNone(String limit, String message) {
    search("--max-ppl-increase=" + limit).fails(BAD_INPUT, message);
  }

  @Test
  void heldOutDataWithoutALimit() {
    search("--eval-data", OTHER).fails(BAD_INPUT, "--eval-data requires --max-ppl-increase");
  }

  @Test
  void anOutputInPlaceOfTheHeldOutData() throws IOException {
    Path data = Files.copy(OTHER, folder.resolve("data.txt"));

    rewrite(data, "--max-ppl-increase", "2%", "--eval-data", data, "--force")
        .fails(BAD_INPUT, data + ": is read as an input");
    assertThat(data).hasSameBinaryContentAs(OTHER);
  }

  @Test
  void aModelThatForeseesNothingIsRefusedBeforeItIsCalibrated() throws IOException {
    Path block = shared.resolve("block.onnx");
    OnnxWriter.write(TinyMoe.Spelling.DYNAMO.of(4, 2, 8).model(), block, Placement.INLINE);

    Cli.run("rewrite", block, "--max-ppl-increase", "2%", "--data", OTHER, "-o", out)
        .fails(BAD_INPUT, block + ": expected a model that predicts the next token", "only x");
    assertThat(Cli.names(folder)).isEmpty();
  }
}
