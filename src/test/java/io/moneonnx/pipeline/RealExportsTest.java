package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.moneonnx.RealExports;
import io.moneonnx.RealExports.Expected;
import io.moneonnx.data.RandomFeeds;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Refusal;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.plan.Criterion;
import io.moneonnx.plan.LayerRatio;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Planner;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import io.moneonnx.verify.Drift;
import io.moneonnx.verify.Proof;
import io.moneonnx.verify.Verdict;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The whole road on graphs of real exporters; figures go to {@code target/real-exports.tsv}. */
class RealExportsTest {
  private static final Set<String> TAKEN =
      Set.of(
          "gpt_oss__genai",
          "old_mixtral436__ts17",
          "old_mixtral436__dynamo",
          "old_mixtral436__ts17_nofold",
          "old_olmoe445__ts17",
          "old_deepseekv3_448ng__ts17",
          "old_optimum_qwen3moe__ts17",
          "olmoe__dynamo_batched_mm",
          "olmoe__ts_batched_mm",
          "mixtral__dynamo_batched_mm",
          "qwen3_moe__dynamo_batched_mm",
          "deepseek_v3__dynamo_batched_mm",
          "deepseek_v3__ts_batched_mm",
          "phimoe__dynamo_batched_mm",
          "gpt_oss__dynamo_batched_mm",
          "gpt_oss__ts_batched_mm",
          "old_densemask_eq__ts17",
          "old_densemask_scatter__dynamo_ext",
          "old_densemask_scatter__ts17",
          "old_eqnonzero_gemmbias__dynamo",
          "old_deepseek_train__dynamo",
          "old_switch1__dynamo",
          "old_olmoe445__ts17_fp16",
          "old_mixtral436__ts17_fn_experts",
          "old_mixtral436__ts17_fn_block",
          "old_scriptif__ts17",
          "old_cond__dynamo",
          "old_scriptloop__ts17",
          "mixtral__hfexp_default",
          "olmoe__hfexp_default",
          "gpt_oss__hfexp_default",
          "old_deepseekv2_infer_dyn__ts17",
          "old_deepseekv3_infer_dyn__dynamo",
          "jetmoe__dynamo_batched_mm",
          "old_optimum_gptoss__dynamo",
          "llama4_text__dynamo_batched_mm_realrope",
          "old_dense_einsum__ts17",
          "old_densestack_gather__ts17",
          "old_threshold__ts17");

  /** Looked into only: ONNX Runtime does not run it. */
  private static final String NOT_RUN = "gpt_oss__genai_int4";

  @TempDir private Path folder;

  static List<Expected> all() throws IOException {
    return RealExports.expected();
  }

  static Stream<Expected> taken() throws IOException {
    return Stream.concat(
        all().stream().filter(e -> e.name().isEmpty() || TAKEN.contains(e.name())), directories());
  }

  /** The models in directories of the onnxruntime-genai builder. */
  private static Stream<Expected> directories() throws IOException {
    return RealExports.directories().stream()
        .filter(directory -> !directory.equals(RealExports.ABSENT))
        .map(
            directory ->
                new Expected(
                    directory.resolve("model.onnx"),
                    "genai/" + directory.getFileName(),
                    "F6",
                    2,
                    8,
                    2,
                    false));
  }

  @ParameterizedTest
  @MethodSource("all")
  void findsAllBlocksOrNone(Expected expected) {
    assumeThat(expected.name()).isNotEmpty();
    List<MoeBlock> blocks = Subject.open(expected.file()).blocks();
    boolean isFound = TAKEN.contains(expected.name()) || expected.name().equals(NOT_RUN);
    if (expected.refuse() || (!isFound && blocks.isEmpty())) {
      assertThat(blocks).isEmpty();
    } else {
      assertThat(blocks).hasSize(expected.blocks());
      assertThat(blocks).extracting(MoeBlock::experts).containsOnly(expected.experts());
      assertThat(blocks).extracting(MoeBlock::topK).containsOnly(expected.topK());
    }
  }

  static Stream<Expected> traced() throws IOException {
    return all().stream().filter(e -> e.name().isEmpty() || e.refuse());
  }

  @ParameterizedTest
  @MethodSource("traced")
  void saysWhatAnExampleLeftOfABlock(Expected expected) {
    assumeThat(expected.name()).isNotEmpty();
    List<Refusal> refusals = Subject.open(expected.file()).findings().refusals();
    assertThat(refusals)
        .hasSize(2)
        .extracting(Refusal::reason)
        .allMatch(
            reason ->
                reason.matches(
                    "traced-example: \\d+ expert regions for %d router outputs.*its example input.*export again with .*"
                        .formatted(expected.experts())));
  }

  @Test
  @EnabledIfSystemProperty(named = "zoo", matches = ".+")
  void refusesRoutedAttentionBesideRoutedFeedForwards() throws IOException {
    Expected jetmoe =
        all().stream().filter(e -> e.name().startsWith("jetmoe")).findFirst().orElseThrow();

    assertThat(Subject.open(jetmoe.file()).findings().refusals())
        .hasSize(2)
        .allMatch(refusal -> refusal.where().contains("self_attention"))
        .allMatch(refusal -> refusal.reason().contains("routed attention"));
  }

  @ParameterizedTest
  @MethodSource("taken")
  void isObservedWithoutChange(Expected expected) {
    assumeThat(expected.name()).isNotEmpty();
    Subject subject = Subject.open(expected.file());
    Map<String, Tensor> feeds = feeds(subject, 2, 7);
    Calibrator.Outcome outcome = calibrate(subject, feeds);
    assertThat(outcome.disproved()).isEmpty();
    assertThat(outcome.statistics()).hasSize(expected.blocks());
    assertThat(outcome.statistics()).extracting(BlockStatistics::t).containsOnly(14L);
    // Casts of half precision, and with them its rounding, move where outputs are added.
    double bar = bar(subject) < 1e-3 ? bar(subject) / 10 : bar(subject);
    assertThat(observedOff(subject, feeds)).isLessThan(bar);
  }

  @ParameterizedTest
  @MethodSource("taken")
  void isRewrittenAsTheOracleSays(Expected expected) throws IOException {
    assumeThat(expected.name()).isNotEmpty();
    Subject subject = Subject.open(expected.file());
    Profile profile = profile(subject, feeds(subject, 4, 16));
    Plan plan =
        Planner.plan(profile, Criterion.named("mone"), new LayerRatio(new BigDecimal("0.5")));
    Rewrite.Report report = rewrite(subject, profile, plan, Novice.MEAN, "half.onnx");
    Verdict verdict = report.verdict().orElseThrow();
    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    assertThat(report.written().bytes()).isLessThan(report.bytesBefore());
    record(expected, subject, report, verdict);
  }

  @ParameterizedTest
  @MethodSource("taken")
  void isExactOnTheOneTokenItWasCalibratedOn(Expected expected) {
    assumeThat(expected.name()).isNotEmpty();
    Subject subject = Subject.open(expected.file());
    Map<String, Tensor> token = feeds(subject, 1, 1);
    Profile profile = profile(subject, token);
    Plan plan = halfWithAllChosen(profile);

    Path exact = rewrite(subject, profile, plan, Novice.MEAN, "exact.onnx").written().model();
    assertThat(moved(subject.file(), exact, token)).isLessThan(bar(subject));
    Path zero = rewrite(subject, profile, plan, Novice.ZERO, "zero.onnx").written().model();
    assertThat(moved(subject.file(), zero, token)).isGreaterThan(bar(subject));
  }

  private static double bar(Subject subject) {
    return subject.blocks().stream()
        .mapToDouble(block -> block.precision().proved())
        .max()
        .orElseThrow();
  }

  /** Half of each block's experts go, every one that the token chose among them. */
  private static Plan halfWithAllChosen(Profile profile) {
    List<Plan.Block> blocks =
        profile.blocks().stream()
            .map(
                block ->
                    new Plan.Block(
                        block.name(),
                        block.experts(),
                        IntStream.range(0, block.experts())
                            .boxed()
                            .sorted((a, b) -> Long.compare(block.n().get(b), block.n().get(a)))
                            .limit(block.experts() / 2)
                            .toList()))
            .toList();
    return new Plan(profile.model(), Optional.empty(), Plan.Router.KEEP, Optional.empty(), blocks);
  }

  private static Map<String, Tensor> feeds(Subject subject, int batch, int sequence) {
    return RandomFeeds.of(subject.model().graph(), List.of())
        .orElseThrow()
        .make(batch, sequence, 1);
  }

  private static Calibrator.Outcome calibrate(Subject subject, Map<String, Tensor> feeds) {
    return new Calibrator(subject.model(), subject.folder(), subject.blocks(), RunOptions.cpu())
        .run(List.of(feeds), feed -> {});
  }

  private static Profile profile(Subject subject, Map<String, Tensor> feeds) {
    return new Profile(
        subject.fingerprint(),
        Tool.version(),
        Session.runtimeVersion(),
        "cpu",
        0,
        0,
        List.of(),
        Map.of(),
        calibrate(subject, feeds).statistics());
  }

  private Rewrite.Report rewrite(
      Subject subject, Profile profile, Plan plan, Novice novice, String name) {
    return new Rewrite(subject, RunOptions.cpu(), new Silence())
        .run(
            new Rewrite.Request(folder.resolve(name), novice, Optional.empty(), false, true),
            profile,
            plan,
            Optional.empty());
  }

  private static double moved(Path before, Path after, Map<String, Tensor> feeds) {
    Subject subject = Subject.open(before);
    List<String> outputs = Proof.floatingOutputs(subject.model().graph());
    try (Session one = Session.open(before, RunOptions.cpu());
        Session other = Session.open(after, RunOptions.cpu())) {
      return largest(one.run(feeds, outputs), other.run(feeds, outputs));
    }
  }

  private static double observedOff(Subject subject, Map<String, Tensor> feeds) {
    List<String> outputs = Proof.floatingOutputs(subject.model().graph());
    Calibrator calibrator =
        new Calibrator(subject.model(), subject.folder(), subject.blocks(), RunOptions.cpu());
    try (Session plain = Session.open(subject.file(), RunOptions.cpu())) {
      return largest(plain.run(feeds, outputs), calibrator.outputs(feeds, outputs));
    }
  }

  private static double largest(Map<String, Tensor> before, Map<String, Tensor> after) {
    Drift.Meter meter = new Drift.Meter(Optional.empty());
    meter.add(before, after);
    return meter.drift().relativeErrors().values().stream()
        .mapToDouble(Double::doubleValue)
        .max()
        .orElseThrow();
  }

  private static void record(
      Expected expected, Subject subject, Rewrite.Report report, Verdict verdict)
      throws IOException {
    Path table = Path.of("target", "real-exports.tsv");
    Subject after = Subject.open(report.written().model());
    String line =
        String.join(
            "\t",
            expected.name(),
            expected.family(),
            Integer.toString(expected.blocks()),
            Integer.toString(expected.experts()),
            Integer.toString(expected.topK()),
            "%.1e".formatted(verdict.worstBlock()),
            "%.1e".formatted(verdict.endToEnd()),
            Long.toString(report.bytesBefore()),
            Long.toString(report.written().bytes()),
            Integer.toString(subject.model().graph().nodes().size()),
            Integer.toString(after.model().graph().nodes().size()));
    Files.writeString(table, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }
}
