package io.moneonnx.pipeline;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.OutputRules;
import io.moneonnx.RealExports;
import io.moneonnx.RealExports.Expected;
import io.moneonnx.data.RandomFeeds;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Refusal;
import io.moneonnx.moe.Target;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Planner;
import io.moneonnx.plan.Ratio;
import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import io.moneonnx.verify.Difference;
import io.moneonnx.verify.Proof;
import io.moneonnx.verify.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The whole road on graphs of real exporters; figures go to {@code target/real-exports.tsv}. */
class RealExportsTest {
  /** The columns of the table, by graph. */
  private static final Map<String, Map<String, String>> TABLE = new ConcurrentSkipListMap<>();

  private static final List<String> COLUMNS =
      List.of(
          "graph",
          "form",
          "blocks",
          "E",
          "k",
          "(1,1)",
          "(1,5)",
          "(2,7)",
          "end to end",
          "one token",
          "observed",
          "bytes",
          "-> bytes",
          "nodes",
          "-> nodes",
          "refused");

  @TempDir private Path folder;

  @AfterAll
  static void writeTable() throws IOException {
    List<String> lines = new ArrayList<>(List.of(String.join("\t", COLUMNS)));
    TABLE.forEach(
        (graph, row) -> {
          row.put("graph", graph);
          lines.add(COLUMNS.stream().map(c -> row.getOrDefault(c, "")).collect(joining("\t")));
        });
    Files.write(Path.of("target", "real-exports.tsv"), lines);
  }

  private static void record(Expected expected, String column, Object value) {
    String text = value instanceof Double number ? "%.1e".formatted(number) : value.toString();
    TABLE.computeIfAbsent(expected.name(), name -> new ConcurrentHashMap<>()).put(column, text);
  }

  @Test
  void theOriginOfEachFileOfTheRepositoryIsWritten() throws IOException {
    assertThat(RealExports.HERE.resolve("README.md"))
        .content()
        .contains(
            RealExports.all().stream()
                .filter(expected -> expected.file().startsWith(RealExports.HERE))
                .map(expected -> "| `" + expected.name() + "` |")
                .toList());
  }

  static List<Expected> taken() throws IOException {
    return RealExports.taken();
  }

  static List<Expected> refused() throws IOException {
    return RealExports.refused();
  }

  static Stream<Expected> found() throws IOException {
    return RealExports.all().stream().filter(expected -> expected.refusal().isEmpty());
  }

  @ParameterizedTest
  @MethodSource("found")
  void findsAllBlocks(Expected expected) {
    List<MoeBlock> blocks = LoadedModel.open(expected.file(), Target.CPU).findings().blocks();
    record(expected, "blocks", blocks.size());
    record(expected, "E", expected.experts());
    record(expected, "k", expected.topK());
    record(expected, "form", blocks.get(0).form());
    assertThat(blocks).hasSize(expected.blocks());
    assertThat(blocks).extracting(MoeBlock::experts).containsOnly(expected.experts());
    assertThat(blocks).extracting(MoeBlock::topK).containsOnly(expected.topK());
    expected
        .form()
        .ifPresent(form -> assertThat(blocks).extracting(MoeBlock::form).containsOnly(form));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void saysWhyBothRoutersAreLeftAlone(Expected expected) {
    MoeFinder.Findings findings = LoadedModel.open(expected.file(), Target.CPU).findings();
    record(expected, "refused", findings.refusals().get(0).reason());
    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.refusals())
        .hasSize(2)
        .extracting(Refusal::reason)
        .allMatch(reason -> reason.matches(expected.refusal().orElseThrow()));
  }

  @Test
  @EnabledIfSystemProperty(named = "zoo", matches = ".+")
  void refusesRoutedAttentionBesideRoutedFeedForwards() throws IOException {
    Expected jetmoe =
        RealExports.all().stream()
            .filter(expected -> expected.name().startsWith("jetmoe"))
            .findFirst()
            .orElseThrow();

    assertThat(LoadedModel.open(jetmoe.file(), Target.CPU).findings().refusals())
        .hasSize(2)
        .allMatch(refusal -> refusal.where().contains("self_attention"))
        .allMatch(refusal -> refusal.reason().contains("routed attention"));
  }

  @ParameterizedTest
  @MethodSource("taken")
  void isObservedWithoutChange(Expected expected) {
    LoadedModel subject = LoadedModel.open(expected.file(), Target.CPU);
    Map<String, Tensor> feeds = feeds(subject, 2, 7);
    Calibrator.Outcome outcome = calibrate(subject, feeds);
    assertThat(outcome.disproved()).isEmpty();
    assertThat(outcome.statistics()).hasSize(expected.blocks());
    assertThat(outcome.statistics()).extracting(BlockStatistics::tokens).containsOnly(14L);
    // Casts of half precision, and with them its rounding, move where outputs are added.
    double bar = bar(subject) < 1e-3 ? bar(subject) / 10 : bar(subject);
    double off = observedOff(subject, feeds);
    record(expected, "observed", off);
    assertThat(off).isLessThan(bar);
  }

  @ParameterizedTest
  @MethodSource("taken")
  void isRewrittenAsTheOracleSays(Expected expected) throws IOException {
    LoadedModel subject = LoadedModel.open(expected.file(), Target.CPU);
    Profile profile = profile(subject, feeds(subject, 4, 16));
    Plan plan = Planner.plan(profile, Goal.of(Criteria.DEFAULT, Ratio.parse("0.5")));
    Rewrite.Report report = rewrite(subject, profile, plan, Novice.MEAN, "half.onnx");
    Verdict verdict = report.verdict().orElseThrow();
    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    assertThat(report.written().bytes()).isLessThan(report.bytesBefore());
    Model after = OnnxReader.read(report.written().model());
    OutputRules.hold(subject.read().canonical().original(), after);
    record(expected, "end to end", verdict.endToEnd());
    record(expected, "bytes", report.bytesBefore());
    record(expected, "-> bytes", report.written().bytes());
    record(expected, "nodes", subject.model().graph().nodes().size());
    record(expected, "-> nodes", after.graph().nodes().size());
    provesEveryShape(expected, subject, report);
  }

  private static void provesEveryShape(
      Expected expected, LoadedModel subject, Rewrite.Report report) {
    Proof proof =
        new Proof(
            subject.model(),
            subject.folder(),
            subject.blocks(),
            report.changes(),
            RunOptions.cpu());
    for (int[] shape : new int[][] {{1, 1}, {1, 5}, {2, 7}}) {
      Map<String, Tensor> feeds = feeds(subject, shape[0], shape[1]);
      Verdict verdict = proof.of(report.written().model(), List.of(feeds));
      record(expected, "(%d,%d)".formatted(shape[0], shape[1]), verdict.worstBlock());
      assertThat(verdict.holds()).as(verdict.text()).isTrue();
    }
  }

  @Tag("exhaustive")
  @ParameterizedTest
  @MethodSource("taken")
  void isExactOnTheOneTokenItWasCalibratedOn(Expected expected) {
    LoadedModel subject = LoadedModel.open(expected.file(), Target.CPU);
    Map<String, Tensor> token = feeds(subject, 1, 1);
    Profile profile = profile(subject, token);
    Plan plan = halfWithAllChosen(profile);

    Path exact = rewrite(subject, profile, plan, Novice.MEAN, "exact.onnx").written().model();
    double off = moved(subject.file(), exact, token);
    record(expected, "one token", off);
    assertThat(off).isLessThan(bar(subject));
    Path zero = rewrite(subject, profile, plan, Novice.ZERO, "zero.onnx").written().model();
    assertThat(moved(subject.file(), zero, token)).isGreaterThan(bar(subject));
  }

  private static double bar(LoadedModel subject) {
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
                            .sorted(
                                (a, b) ->
                                    Long.compare(
                                        block.get(Statistic.N).count(b),
                                        block.get(Statistic.N).count(a)))
                            .limit(block.experts() / 2)
                            .toList()))
            .toList();
    return Plan.of(profile.model(), Plan.Router.KEEP, blocks);
  }

  private static Map<String, Tensor> feeds(LoadedModel subject, int batch, int sequence) {
    return RandomFeeds.of(subject.model().graph(), List.of())
        .orElseThrow()
        .make(batch, sequence, 1);
  }

  private static Calibrator.Outcome calibrate(LoadedModel subject, Map<String, Tensor> feeds) {
    return new Calibrator(subject.model(), subject.folder(), subject.blocks(), RunOptions.cpu())
        .run(List.of(feeds));
  }

  private static Profile profile(LoadedModel subject, Map<String, Tensor> feeds) {
    return new Profile(subject.fingerprint(), 0, List.of(), calibrate(subject, feeds).statistics());
  }

  private Rewrite.Report rewrite(
      LoadedModel subject, Profile profile, Plan plan, Novice novice, String name) {
    return new Rewrite(subject, RunOptions.cpu(), new Silence())
        .run(
            new Rewrite.Request(folder.resolve(name), novice, Optional.empty(), false, true),
            profile,
            plan,
            Optional.empty());
  }

  private static double moved(Path before, Path after, Map<String, Tensor> feeds) {
    LoadedModel subject = LoadedModel.open(before, Target.CPU);
    List<String> outputs = Proof.floatingOutputs(subject.model().graph());
    try (Session one = Session.open(before, RunOptions.cpu());
        Session other = Session.open(after, RunOptions.cpu())) {
      return largest(one.run(feeds, outputs), other.run(feeds, outputs));
    }
  }

  private static double observedOff(LoadedModel subject, Map<String, Tensor> feeds) {
    List<String> outputs = Proof.floatingOutputs(subject.model().graph());
    Calibrator calibrator =
        new Calibrator(subject.model(), subject.folder(), subject.blocks(), RunOptions.cpu());
    try (Session plain = Session.open(subject.file(), RunOptions.cpu())) {
      return largest(plain.run(feeds, outputs), calibrator.outputs(feeds, outputs));
    }
  }

  private static double largest(Map<String, Tensor> before, Map<String, Tensor> after) {
    return before.keySet().stream()
        .mapToDouble(output -> Difference.relative(after.get(output), before.get(output)))
        .max()
        .orElseThrow();
  }
}
