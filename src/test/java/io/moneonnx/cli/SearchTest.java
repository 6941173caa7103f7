package io.moneonnx.cli;

import static io.moneonnx.cli.ExitCode.BAD_INPUT;
import static io.moneonnx.cli.ExitCode.NOTHING_TO_DO;
import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.io.OnnxReader;
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
  private Path out;

  @BeforeAll
  static void measures() {
    profile = shared.resolve("olmoe.profile");
    Cli.run("calibrate", Cli.OLMOE, "-o", profile, "--blocks", 8, "--device", "cpu").succeeds();
  }

  @BeforeEach
  void choosesAnOutput() {
    out = folder.resolve("pruned.onnx");
  }

  private static Cli rewrite(Path out, Object... options) {
    return Cli.run(
        Stream.concat(
                Stream.of("rewrite", Cli.OLMOE, "--profile", profile, "-o", out, "--device", "cpu"),
                Arrays.stream(options))
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
  @ValueSource(strings = {"--scope layer", "--scope model", "--router cut", "--novice zero"})
  void findsARatioWithinTheLimitOfWhichTheNextIsNot(String options) throws IOException {
    Cli searched =
        search(
            Stream.concat(Stream.of("--max-ppl-increase", "10%"), Stream.of(options.split(" ")))
                .toArray());

    searched.succeeds();
    String[] best = rows(searched, "yes").get(rows(searched, "yes").size() - 1);
    String[] next = rows(searched, "no").get(0);
    int step = options.contains("model") ? 1 : 4;
    assertThat(Integer.parseInt(next[1])).isEqualTo(Integer.parseInt(best[1]) + step);
    assertThat(percent(best[3])).isLessThanOrEqualTo(10);
    assertThat(percent(next[3])).isGreaterThan(10);
    assertThat(searched.out()).contains("(" + best[3] + ") on held-out data");
    assertThat(OnnxReader.read(out).metadata()).containsEntry("mone-onnx.ratio", best[0]);
  }

  @Test
  void writesWhatTheRatioThatItFindsWouldWrite() throws IOException {
    Cli searched = search("--max-ppl-increase", "0.1").succeeds();
    List<String[]> within = rows(searched, "yes");
    Path planned = folder.resolve("planned.onnx");

    rewrite(planned, "--ratio", within.get(within.size() - 1)[0], "--no-verify").succeeds();

    assertThat(out).hasSameBinaryContentAs(planned);
  }

  @Test
  void findsTheSameAgain() {
    Cli first = search("--max-ppl-increase", "10%").succeeds();

    assertThat(search("--max-ppl-increase", "10%", "--force").succeeds().out())
        .isEqualTo(first.out());
  }

  @Test
  void provesWhatItWrites() {
    Cli searched =
        rewrite(out, "--max-ppl-increase", "10%", "--blocks", 4, "--seq-len", 64).succeeds();

    assertThat(searched.out()).contains("proof    largest relative error");
    assertThat(searched.err())
        .contains("heldout.txt, found beside the model", "trying up to 4 of 15 ratios on 4 seq");
  }

  @Test
  void everyTagKeepsToTheLimit() {
    Cli searched =
        search("--max-ppl-increase", "10%", "--eval-data", "kjv=" + OTHER, "seen=" + TEXT)
            .succeeds();

    assertThat(searched.out()).containsPattern("increase +kjv +seen +within");
    assertThat(rows(searched, "yes"))
        .isNotEmpty()
        .allSatisfy(
            row ->
                assertThat(List.of(percent(row[3]), percent(row[4]), percent(row[5])))
                    .allMatch(increase -> increase <= 10));
    assertThat(rows(searched, "no"))
        .isNotEmpty()
        .allSatisfy(
            row ->
                assertThat(List.of(percent(row[3]), percent(row[4]), percent(row[5])))
                    .anyMatch(increase -> increase > 10));
    assertThat(searched.err()).contains("'calibration.txt' was calibrated on");
  }

  @Test
  void whereNoRatioKeepsToTheLimitNothingIsWritten() throws IOException {
    Cli searched = search("--max-ppl-increase", 0, "--criterion", "random", "--router", "cut");

    assertThat(searched.code()).isEqualTo(NOTHING_TO_DO);
    assertThat(rows(searched, "no")).isNotEmpty();
    assertThat(rows(searched, "yes")).isEmpty();
    assertThat(searched.err())
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
    "--normalise block, --normalise goes with --scope model",
    "--eval-data missing.txt, missing.txt: no such file",
    "--eval-data =, '--eval-data: found ''='', wanted FILE or TAG=FILE'",
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
    "-2%, '--max-ppl-increase: found -0.02, wanted 0 or more'",
    "NaN, '--max-ppl-increase: found NaN, wanted 0 or more'",
    "two, 'found ''two'', wanted a part, such as 2% or 0.02'",
  })
  void aLimitThatIsNone(String limit, String message) {
    search("--max-ppl-increase=" + limit).fails(BAD_INPUT, message);
  }

  @Test
  void heldOutDataWithoutALimit() {
    search("--eval-data", OTHER).fails(BAD_INPUT, "--eval-data goes with --max-ppl-increase");
  }

  @Test
  void anOutputInPlaceOfTheHeldOutData() throws IOException {
    Path data = Files.copy(OTHER, folder.resolve("data.txt"));

    rewrite(data, "--max-ppl-increase", "2%", "--eval-data", data, "--force")
        .fails(BAD_INPUT, data + ": is read as an input");
    assertThat(data).hasSameBinaryContentAs(OTHER);
  }
}
