package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ways of pruning side by side, on a real model. */
class CompareTest {
  private static final Path TEXT = TwoLayers.MODEL.resolveSibling("calibration.txt");

  @TempDir private static Path shared;

  private static Path profile;

  @BeforeAll
  static void measures() {
    profile = shared.resolve("olmoe.profile");
    Cli.run("calibrate", TwoLayers.MODEL, "-o", profile, "--blocks", 8, "--device", "cpu")
        .succeeds();
  }

  private static Cli compare(Object... options) {
    return Cli.run(
            Stream.concat(
                    Stream.of("compare", TwoLayers.MODEL, "--profile", profile, "--device", "cpu"),
                    Stream.concat(
                        Stream.of("--blocks", 2, "--seq-len", 64), Arrays.stream(options)))
                .toArray())
        .succeeds();
  }

  /** The column of increases. */
  private static List<Double> increases(Cli compared) {
    return compared
        .out()
        .lines()
        .filter(line -> line.contains("%") && !line.contains("unpruned"))
        .flatMap(line -> Arrays.stream(line.split(" +")).filter(cell -> cell.matches("[+-]\\d.*")))
        .map(Double::valueOf)
        .toList();
  }

  @Test
  void theCheapestComesFirstAndIsNamed() {
    Cli compared = compare("--criterion", "random,mone", "--ratio", "0.5");

    assertThat(increases(compared)).hasSize(2).isSorted();
    assertThat(compared.out())
        .contains("heldout.txt: unpruned")
        .contains("least  --criterion mone --scope layer --router keep --novice mean");
    assertThat(compared.err())
        .contains("heldout.txt, found in the model's directory", "trying 2 plans");
  }

  @Test
  void everyCriterionIsTriedUnlessSomeAreNamed() {
    assertThat(increases(compare())).hasSize(15);
  }

  @Test
  void aCutRouterIsTriedOnceForAllNovices() {
    Cli compared =
        compare("--criterion", "reap", "--novice", "mean,zero,gate2", "--router", "keep,cut");

    assertThat(increases(compared)).hasSize(4);
    assertThat(compared.out()).containsPattern("reap +layer +none +cut");
  }

  @Test
  void whatIsAskedForBesideTheCriterionIsNamed() {
    Cli compared =
        compare(
            "--criterion",
            "random",
            "--seed",
            3,
            "--scope",
            "model",
            "--normalise",
            "block",
            "--min-keep",
            4,
            "--protect",
            "0:3,1:5");

    assertThat(compared.out())
        .containsPattern("random +model/block")
        .contains(
            "least  --criterion random --seed 3 --scope model --normalise block --router keep"
                + " --novice mean --min-keep 4 --protect 0:3,1:5");
  }

  @Test
  void nothingIsKnownOfOneSequence() throws IOException {
    Path brief = Files.writeString(shared.resolve("brief.txt"), "Of cats and dogs.");
    Cli compared = compare("--criterion", "random,mone", "--ratio", "0.5", "--test", brief);

    assertThat(compared.out())
        .contains("1 sequences")
        .containsPattern("% +~")
        .contains("may as well be chance: a single sequence has no standard error");
  }

  @Test
  void ratiosStandApart() {
    Cli compared = compare("--criterion", "mone", "--ratio", "0.25,0.5", "--scope", "layer,model");

    assertThat(compared.out().lines().filter(line -> line.startsWith("ratio "))).hasSize(2);
    assertThat(compared.out().lines().filter(line -> line.startsWith("least "))).hasSize(2);
  }

  @Tag("exhaustive")
  @Test
  void severalTestsAreColumnsOfOneTable() throws IOException {
    Path other = Files.writeString(shared.resolve("other.txt"), "Of cats and dogs. ".repeat(60));

    Cli compared =
        compare("--criterion", "mone", "--test", "cats=" + other, "--test", "kjv=" + TEXT);

    assertThat(compared.out()).contains("cats: unpruned", "kjv: unpruned");
    assertThat(compared.out()).containsPattern("router +cats +kjv +loss");
  }

  @Test
  void dataThatWereCalibratedOnAreNoHeldOutData() {
    assertThat(compare("--criterion", "mone", "--test", TEXT).err())
        .contains("'calibration.txt' was calibrated on");
    assertThat(compare("--criterion", "mone").err()).doesNotContain("was calibrated on");
  }
}
