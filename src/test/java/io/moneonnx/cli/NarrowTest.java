package io.moneonnx.cli;

import static io.moneonnx.cli.ExitCode.BAD_INPUT;
import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.data.Fixtures;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.plan.Forecast;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.PlanFile;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.NeuronOrders;
import io.moneonnx.profile.ProfileFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code --method narrow} on a real model, from data to a proved file. */
class NarrowTest {
  private static final int SEQUENCES = 6;
  private static final int LENGTH = 32;

  @TempDir private static Path shared;
  @TempDir private Path folder;

  private static Path data;
  private static Path profile;
  private static Path plan;
  private static Cli measuring;
  private static Cli planning;

  @BeforeAll
  static void measuresAndPlans() throws IOException {
    long[] ids = new Random(1).longs(SEQUENCES * LENGTH, 0, 500).toArray();
    ByteBuffer bytes = Tensor.vector(ids).bytes();
    byte[] elements = new byte[bytes.remaining()];
    bytes.get(elements);
    String shape = "(%d, %d)".formatted(SEQUENCES, LENGTH);
    data =
        Fixtures.npz(
            shared.resolve("ids.npz"), Map.of("input_ids", Fixtures.npy("<i8", shape, elements)));
    profile = shared.resolve("olmoe.profile");
    plan = shared.resolve("plan.json");
    measuring =
        Cli.run("calibrate", TwoLayers.MODEL, "--data", "ids=" + data, "--moments", "-o", profile);
    planning = Cli.run("plan", profile, "--method", "narrow", "--ratio", "0.6", "-o", plan);
    measuring.succeeds();
    planning.succeeds();
  }

  private Path out(String name) {
    return folder.resolve(name);
  }

  private static long bytes(long neuron) {
    return ProfileFile.read(profile).blocks().stream()
        .mapToLong(block -> neuron * block.header().inner() * block.experts())
        .sum();
  }

  @Test
  void measuresOrdersOfAllNeurons() {
    for (BlockStatistics block : ProfileFile.read(profile).blocks()) {
      NeuronOrders orders = block.orders().orElseThrow();
      int inner = block.header().inner();

      assertThat(orders.widths()).isEqualTo(NeuronOrders.Widths.OWN);
      assertThat(orders.neuronBytes() * inner).isEqualTo(block.header().expertBytes());
      for (int expert = 0; expert < block.experts(); expert++) {
        double[] distortions = orders.distortions(expert);
        assertThat(orders.removed(expert)).hasSize(inner).doesNotHaveDuplicates();
        assertThat(distortions).hasSize(inner + 1);
        assertThat(distortions[inner]).isZero();
      }
    }
  }

  /** 192 tokens, of which each chooses a few of 16 experts of 128 neurons. */
  @Test
  void saysWhichExpertsSawTooFewTokens() {
    assertThat(measuring.err()).contains("ordering the neurons of 32 experts");
    assertThat(measuring.err()).contains("'layers.1': fewer tokens chose experts [");
  }

  @Test
  void saysWhatWidthsCost() {
    assertThat(planning.out())
        .contains("smallest  median  largest", "damage   predicted", "  80% ")
        .containsPattern(
            "tags     predicted to keep of what experts put out:  ids ([0-9.]+%)  all \\1")
        .containsPattern("experts  [0-9,]+ -> [0-9,]+ bytes of neurons");
  }

  @Test
  void spendsTheBudgetOnWidths() {
    Plan read = PlanFile.read(plan);
    long left =
        ProfileFile.read(profile).blocks().stream()
            .mapToLong(block -> block.orders().orElseThrow().neuronBytes() * width(read, block))
            .sum();

    assertThat(read.isNarrow()).isTrue();
    assertThat(left).isLessThanOrEqualTo(bytes(neuron()) * 2 / 5);
    assertThat(left).isGreaterThan(bytes(neuron()) * 2 / 5 - 16 * neuron());
  }

  private static long neuron() {
    return ProfileFile.read(profile).blocks().get(0).orders().orElseThrow().neuronBytes();
  }

  private static int width(Plan plan, BlockStatistics block) {
    List<Plan.Narrowed> narrowed = plan.narrowed(block.name());
    int whole = block.experts() - narrowed.size() - plan.pruned(block.name()).size();
    return whole * block.header().inner() + narrowed.stream().mapToInt(Plan.Narrowed::width).sum();
  }

  @Test
  void writesTheSameFromAPlanAndFromOptions() throws IOException {
    Cli byPlan =
        Cli.run(
            "rewrite", TwoLayers.MODEL, "--profile", profile, "--plan", plan, "-o", out("a.onnx"));
    Cli byOptions =
        Cli.run(
            "rewrite",
            TwoLayers.MODEL,
            "--profile",
            profile,
            "--method",
            "narrow",
            "--ratio",
            "0.6",
            "--no-verify",
            "-o",
            out("b.onnx"));

    assertThat(byPlan.succeeds().out()).contains("narrowed", "proof    largest relative error");
    byOptions.succeeds();
    assertThat(Files.mismatch(out("a.onnx"), out("b.onnx"))).isEqualTo(-1);
    assertThat(Files.size(out("a.onnx")))
        .isLessThan(Files.size(TwoLayers.MODEL) - bytes(neuron()) * 3 / 5 + 50_000);
    assertThat(OnnxReader.read(out("a.onnx")).metadata())
        .containsEntry("mone-onnx.method", "narrow");
    Cli exact =
        Cli.run(
            "verify",
            TwoLayers.MODEL,
            out("a.onnx"),
            "--exact",
            "--plan",
            plan,
            "--profile",
            profile);
    assertThat(exact.succeeds().out()).contains(" narrowed").contains("is what the plan");
  }

  @Test
  void keepsToTheSizeOfTheFile() throws IOException {
    Cli.run(
            "rewrite",
            TwoLayers.MODEL,
            "--profile",
            profile,
            "--method",
            "narrow",
            "--target-size",
            "6MB",
            "--novice",
            "mean",
            "--no-verify",
            "-o",
            out("six.onnx"))
        .succeeds();

    assertThat(Files.size(out("six.onnx"))).isBetween(5_900_000L, 6_000_000L);
  }

  /** A width that a person gives; which neurons these are follows from their order. */
  @Test
  void takesWidthsWithoutNeurons() {
    Plan read = PlanFile.read(plan);
    Plan.Block first = read.blocks().get(0);
    Plan.Narrowed narrowed = first.narrowed().orElseThrow().get(0);
    Path edited =
        edited(read, new Plan.Narrowed(narrowed.expert(), narrowed.width(), Optional.empty()));
    Path listed = edited(read, narrowed);
    for (Path each : List.of(edited, listed)) {
      Cli.run(
              "rewrite",
              TwoLayers.MODEL,
              "--profile",
              profile,
              "--plan",
              each,
              "--no-verify",
              "-o",
              out(each.getFileName() + ".onnx"))
          .succeeds();
    }

    assertThat(out(edited.getFileName() + ".onnx"))
        .hasSameBinaryContentAs(out(listed.getFileName() + ".onnx"));
  }

  private Path edited(Plan plan, Plan.Narrowed only) {
    Plan.Block first = plan.blocks().get(0);
    Plan.Block other =
        new Plan.Block(first.name(), first.experts(), List.of(), Optional.of(List.of(only)));
    Path file = out(only.kept().isPresent() ? "listed.json" : "edited.json");
    PlanFile.write(Plan.of(plan.model(), Plan.Router.KEEP, List.of(other)), file);
    return file;
  }

  @ParameterizedTest
  @CsvSource({
    "999, 1, expert 0, the last 999",
    "5, 2, is 2, names 1 neurons",
    "-1, 1, holds -1, from 0",
  })
  void refusesPlansThatCannotBe(int neuron, int width, String found, String expected)
      throws IOException {
    Path file = out("bad.json");
    Files.writeString(
        file,
        """
        {"model": "%s", "router": "keep", "blocks": [{"name": "%s", "experts": 16, "pruned": [],
         "narrowed": [{"expert": 0, "width": %d, "kept": [%d]}]}]}
        """
            .formatted(
                PlanFile.read(plan).model(),
                PlanFile.read(plan).blocks().get(0).name(),
                width,
                neuron));

    Cli.run("rewrite", TwoLayers.MODEL, "--profile", profile, "--plan", file, "-o", out("bad.onnx"))
        .fails(BAD_INPUT, found, expected);
    assertThat(out("bad.onnx")).doesNotExist();
  }

  @Test
  void saysHowToGetMoments() {
    Path without = out("without.profile");
    Cli.run("calibrate", TwoLayers.MODEL, "--data", data, "-o", without).succeeds();

    Cli.run("plan", without, "--method", "narrow", "-o", out("p.json"))
        .fails(BAD_INPUT, "calibrate --moments");
    Cli.run("rewrite", TwoLayers.MODEL, "--profile", without, "--plan", plan, "-o", out("o.onnx"))
        .fails(BAD_INPUT, "calibrate with --moments");
  }

  /** Orders do not add up: they are found again from the merged moments. */
  @Test
  void ordersMergedProfilesWithTheirModel() throws IOException {
    Path second = out("second.profile");
    Path both = out("both.profile");
    Cli.run("calibrate", TwoLayers.MODEL, "--data", "A=" + data, "--moments", "-o", second)
        .succeeds();
    Cli.run("merge", profile, second, "-o", both).succeeds();

    assertThat(ProfileFile.read(both).blocks()).allMatch(block -> block.orders().isEmpty());
    Cli.run("plan", both, "--method", "narrow", "-o", out("p.json")).fails(BAD_INPUT, "--model");
    Cli.run("plan", both, "--model", TwoLayers.MODEL, "--method", "narrow", "-o", out("p.json"))
        .succeeds();
    assertThat(PlanFile.read(out("p.json")).isNarrow()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "--criterion=frequency, leave out --criterion",
    "--prune-count=2, leave out --prune-count",
    "--router=cut, leave out --router",
    "--seed=1, leave out --seed",
    "--min-width=97, 'min-width: found 97, expected at most 96'",
    "--min-keep=17, 'min-keep: found 17, expected at most 16'",
    "--min-width=80 --ratio=0.5, 'ratio 0.5 cannot be met: at the least widths'",
    "--min-width=80 --ratio=0.5 --scope=layer, the experts of the block 'layers.0'",
    "--step=7, step 7: expected a divisor of",
    "--min-width=-1, min-width: found -1",
    "--tag-floor=code=0.9, 'tag-floor code: expected a tag of the calibration data, found ids'",
    "--target-size=1KB, cannot be met",
    "--target-size=1GB, removes nothing",
  })
  void refusesWhatWidthsCannotBe(String option, String reason) {
    List<Object> command =
        new ArrayList<>(List.of("plan", profile, "--method", "narrow", "-o", out("p.json")));
    command.addAll(List.of(option.split(" ")));

    Cli.run(command.toArray()).fails(BAD_INPUT, reason);
  }

  @ParameterizedTest
  @CsvSource({"--weights=even", "--step=4", "--min-width=8", "--tag-floor=a=1"})
  void refusesOptionsOfWidthsWithoutThem(String option) {
    Cli.run("plan", profile, option, "-o", out("p.json"))
        .fails(BAD_INPUT, "requires --method narrow");
  }

  @Test
  void leavesProtectedExpertsWhole() {
    Cli.run(
            "plan",
            profile,
            "--method",
            "narrow",
            "--ratio",
            "0.8",
            "--protect",
            "0:3",
            "--min-width",
            "16",
            "-o",
            out("p.json"))
        .succeeds();
    Plan held = PlanFile.read(out("p.json"));

    assertThat(held.blocks().get(0).narrowed().orElseThrow())
        .map(Plan.Narrowed::expert)
        .doesNotContain(3);
    assertThat(held.blocks()).allMatch(block -> block.pruned().isEmpty());
  }

  @Test
  void comparesMethodsAtEqualBytes() {
    Cli found =
        Cli.run(
            "compare",
            TwoLayers.MODEL,
            "--profile",
            profile,
            "--test",
            data,
            "--method",
            "novice,narrow",
            "--criterion",
            "mone",
            "--ratio",
            "0.25");

    assertThat(found.succeeds().out()).contains("mone", "narrow");
  }

  private void rewrite(Path out, Object... more) {
    List<Object> command =
        new ArrayList<>(
            List.of("rewrite", TwoLayers.MODEL, "--profile", profile, "--plan", plan, "-o", out));
    command.addAll(List.of(more));
    Cli.run(command.toArray()).succeeds();
  }

  private Cli prove(Path out, Object... more) {
    List<Object> command =
        new ArrayList<>(List.of("verify", TwoLayers.MODEL, out, "--exact", "--plan", plan));
    command.addAll(List.of("--profile", profile));
    command.addAll(List.of(more));
    return Cli.run(command.toArray());
  }

  @Test
  void provesWhatIsRefittedJointly() throws IOException {
    Path jointly = out("jointly.onnx");
    Path apart = out("apart.onnx");
    Path refit = out("jointly.onnx.refit");
    rewrite(jointly, "--refit", "--data", data, "--refit-tokens", "96", "--no-verify");
    rewrite(apart, "--no-verify");

    assertThat(OnnxReader.read(jointly).metadata())
        .containsEntry("mone-onnx.refit", "jointly on 96 tokens");
    assertThat(prove(jointly, "--refit", refit).succeeds().out()).contains("is what the plan");
    assertThat(prove(jointly).code()).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(prove(apart, "--refit", refit).code()).isEqualTo(ExitCode.CHECK_FAILED);
    byte[] damaged = Files.readAllBytes(refit);
    damaged[damaged.length - 1] ^= 1;
    Files.write(refit, damaged);
    prove(jointly, "--refit", refit).fails(BAD_INPUT, "is damaged: its checksum is");
  }

  @Test
  void comparesWhatIsRefittedJointly() {
    Cli found =
        Cli.run(
            "compare",
            TwoLayers.MODEL,
            "--profile",
            profile,
            "--test",
            data,
            "--method",
            "narrow",
            "--ratio",
            "0.5",
            "--refit",
            "--data",
            data);

    assertThat(found.succeeds().out()).contains("narrow, refit", "--novice zero --refit");
  }

  @Test
  void refusesRefitsThatCannotBe() {
    Cli.run("rewrite", TwoLayers.MODEL, "--profile", profile, "--refit", "-o", out("r.onnx"))
        .fails(BAD_INPUT, "--refit requires --method narrow");
    Cli.run("rewrite", TwoLayers.MODEL, "--refit-tokens", "9", "-o", out("r.onnx"))
        .fails(BAD_INPUT, "--refit-tokens requires --refit");
    Cli.run("compare", TwoLayers.MODEL, "--profile", profile, "--data", data)
        .fails(BAD_INPUT, "--data requires --refit");
  }

  @Test
  void refusesNarrowExpertsBehindACutRouter() throws IOException {
    Path file = out("cut.json");
    Files.writeString(file, Files.readString(plan).replace("\"keep\"", "\"cut\""));

    Cli.run("rewrite", TwoLayers.MODEL, "--profile", profile, "--plan", file, "-o", out("cut.onnx"))
        .fails(BAD_INPUT, "cut.json", "'narrowed' requires the router 'keep'");
  }

  @Test
  void leavesExpertsOfFullWidthAsTheyAre() {
    Plan read = PlanFile.read(plan);
    int inner = ProfileFile.read(profile).blocks().get(0).header().inner();
    Path file = edited(read, new Plan.Narrowed(0, inner, Optional.empty()));

    Cli.run(
            "rewrite",
            TwoLayers.MODEL,
            "--profile",
            profile,
            "--plan",
            file,
            "-o",
            out("whole.onnx"))
        .fails(BAD_INPUT, "prunes no expert and narrows none");
  }

  /** Experts of different widths have no common moments. */
  @Test
  void measuresNarrowedModelsWithoutMoments() {
    Path narrow = out("narrow.onnx");
    Path again = out("again.profile");
    Cli.run(
            "rewrite",
            TwoLayers.MODEL,
            "--profile",
            profile,
            "--method",
            "narrow",
            "--min-width",
            "16",
            "--no-verify",
            "-o",
            narrow)
        .succeeds();

    Cli measured = Cli.run("calibrate", narrow, "--data", data, "--moments", "-o", again);
    assertThat(measured.succeeds().err()).contains("its experts have different widths");
    Cli.run("plan", again, "--method", "narrow", "-o", out("p.json"))
        .fails(BAD_INPUT, "holds no order of neurons");
    Cli.run("rewrite", narrow, "--profile", again, "--ratio", "0.5", "-o", out("fewer.onnx"))
        .succeeds();
  }

  @Test
  void predictsNoMoreThanTheTargetSize() {
    Cli.run(
            "plan",
            profile,
            "--method",
            "narrow",
            "--scope",
            "layer",
            "--target-size",
            "3500KB",
            "-o",
            out("p.json"))
        .succeeds();
    Plan planned = PlanFile.read(out("p.json"));

    assertThat(planned.blocks()).anyMatch(block -> !block.pruned().isEmpty());
    assertThat(Forecast.of(ProfileFile.read(profile), planned, Novice.ZERO).bytes())
        .isLessThanOrEqualTo(3_500_000);
  }

  @Test
  void triesOnlyRatiosThatLeastWidthsAllow() {
    Cli found =
        Cli.run(
            "rewrite",
            TwoLayers.MODEL,
            "--profile",
            profile,
            "--method",
            "narrow",
            "--min-width",
            "80",
            "--max-ppl-increase",
            "900%",
            "--eval-data",
            data,
            "--no-verify",
            "-o",
            out("within.onnx"));

    assertThat(found.succeeds().out()).contains("of 16 ratios");
  }

  @Test
  void predictsNoErrorWithoutOrders() throws IOException {
    Path second = out("second.profile");
    Path both = out("both.profile");
    Cli.run("calibrate", TwoLayers.MODEL, "--data", "A=" + data, "--moments", "-o", second)
        .succeeds();
    Cli.run("merge", profile, second, "-o", both).succeeds();
    Plan.Narrowed narrowed = new Plan.Narrowed(0, 16, Optional.empty());
    Plan planned = PlanFile.read(edited(PlanFile.read(plan), narrowed));

    Forecast forecast = Forecast.of(ProfileFile.read(both), planned, Novice.ZERO);
    assertThat(forecast.blocks().get(0).error()).isEmpty();
  }

  @Test
  void countsNarrowedExpertsInASweep() {
    Cli sweep =
        Cli.run(
            "plan", profile, "--method", "narrow", "--ratio", "0.2:0.6:0.2", "-o", out("s.json"));

    assertThat(sweep.succeeds().out()).containsPattern("ratio  removed  narrowed  calls  error");
    assertThat(out("s-0.4.json")).exists();
  }

  @Test
  void asksForTheModelOnlyWhereItIsRead() {
    Cli.run("plan", profile, "--model", TwoLayers.MODEL, "-o", out("p.json"))
        .fails(BAD_INPUT, "--model requires --method narrow");
  }

  /** Re-fitting makes up for some of the cut, and rounding takes some of that away. */
  @Test
  void requantisesWhatItReFits() throws IOException {
    Path model = Path.of("test-data", "exports", "genai", "gptoss-int4-cpu");
    Path text = Files.writeString(out("a.txt"), "the mill by the river grinds slowly ".repeat(200));
    Path measured = out("int4.profile");
    Path planned = out("int4.json");
    Path narrow = out("narrow");
    Cli.run("calibrate", model, "--data", "text=" + text, "--moments", "-o", measured).succeeds();
    Cli.run("plan", measured, "--method", "narrow", "--ratio", "0.3", "--requantize", "-o", planned)
        .succeeds();
    Cli rewritten =
        Cli.run("rewrite", model, "--profile", measured, "--plan", planned, "-o", narrow);

    assertThat(PlanFile.read(planned).isRequantized()).isTrue();
    assertThat(rewritten.succeeds().err())
        .containsPattern("are off by [0-9.]+% of their energy where they are cut");
    assertThat(OnnxReader.read(narrow.resolve("model.onnx")).metadata())
        .containsEntry("mone-onnx.requantize", "to nearest");
    Cli.run("verify", model, narrow, "--exact", "--plan", planned, "--profile", measured)
        .succeeds();
    Cli.run(
            "rewrite",
            TwoLayers.MODEL,
            "--profile",
            profile,
            "--method",
            "narrow",
            "--requantize",
            "-o",
            out("none.onnx"))
        .fails(BAD_INPUT, "--requantize: expected narrowed experts whose down projections are");
  }

  /** 64 neurons in two groups of 32: bytes of experts move, and the file is what it should be. */
  @Test
  void narrowsExpertsOfIntegersInsideAnOperator() throws IOException {
    Path model = Path.of("test-data", "exports", "genai", "gptoss-int4-cpu");
    Path text = Files.writeString(out("a.txt"), "the mill by the river grinds slowly ".repeat(200));
    Path narrow = out("narrow");
    Cli.run(
            "rewrite",
            model,
            "--method",
            "narrow",
            "--ratio",
            "0.3",
            "--data",
            "text=" + text,
            "-o",
            narrow)
        .succeeds();

    assertThat(
            OnnxReader.read(narrow.resolve("model.onnx")).graph().nodes().stream()
                .filter(node -> node.opType().equals("QMoE")))
        .hasSize(2);
    long before = Files.size(model.resolve("model.onnx.data"));
    assertThat(before - Files.size(narrow.resolve("model.onnx.data"))).isGreaterThan(30_000);
  }
}
