package io.moneonnx.pipeline;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.OutputRules;
import io.moneonnx.RealExports;
import io.moneonnx.RealExports.Expected;
import io.moneonnx.data.RandomFeeds;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Target;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.profile.Profile;
import io.moneonnx.run.RunOptions;
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
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Cut routers in graphs of real exporters; figures go to {@code target/cut-exports.tsv}. */
class CutExportsTest {
  /** What the router of a graph is refused for; every other graph's is cut. */
  private static final Map<String, String> REFUSED =
      Map.of(
          "old_threshold__ts17", "comparing scores with the least that counts",
          "phimoe__dynamo_batched_mm", "chooses one expert after another",
          "genai/gptoss-qdq-int4-cpu", "do not begin at whole bytes");

  private static final List<String> COLUMNS =
      List.of(
          "graph", "form", "router", "25%", "50%", "bytes", "25% bytes", "50% bytes", "refused");

  private static final Map<String, Map<String, String>> TABLE = new ConcurrentSkipListMap<>();

  @TempDir private Path folder;

  @AfterAll
  static void writeTable() throws IOException {
    List<String> lines = new ArrayList<>(List.of(String.join("\t", COLUMNS)));
    TABLE.forEach(
        (graph, row) -> {
          row.put("graph", graph);
          lines.add(COLUMNS.stream().map(c -> row.getOrDefault(c, "")).collect(joining("\t")));
        });
    Files.write(Path.of("target", "cut-exports.tsv"), lines);
  }

  private static void record(Expected expected, String column, Object value) {
    TABLE
        .computeIfAbsent(expected.name(), name -> new ConcurrentHashMap<>())
        .put(column, value.toString());
  }

  static List<Expected> taken() throws IOException {
    return RealExports.taken();
  }

  @ParameterizedTest
  @MethodSource("taken")
  void isTheOriginalInWhichTheyAreNeverChosen(Expected expected) {
    LoadedModel subject = LoadedModel.open(expected.file(), Target.CPU);
    Profile profile = profile(subject);
    record(expected, "form", subject.blocks().get(0).form());
    record(expected, "router", subject.blocks().get(0).routing().kind());
    for (int percent : new int[] {25, 50}) {
      Plan plan = plan(subject, percent);
      try {
        Rewrite.Report report = rewrite(subject, profile, plan, percent + ".onnx");
        record(expected, percent + "%", errors(subject, report));
        record(expected, "bytes", report.bytesBefore());
        record(expected, percent + "% bytes", report.written().bytes());
        check(subject, plan, OnnxReader.read(report.written().model()));
        assertThat(REFUSED).doesNotContainKey(expected.name());
      } catch (BadInputException e) {
        record(expected, "refused", e.getMessage());
        assertThat(e).hasMessageContaining(REFUSED.getOrDefault(expected.name(), "?"));
      }
    }
  }

  /** Graphs whose routers choose two of four groups of four experts first, by two of each. */
  static Stream<Expected> inGroups() throws IOException {
    return taken().stream().filter(expected -> expected.name().matches("(old_)?deepseek_?v3.*"));
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("inGroups")
  void mayLoseWholeGroups(Expected expected) {
    LoadedModel subject = LoadedModel.open(expected.file(), Target.CPU);
    Plan plan = plan(subject, expert -> expert / 4 == 1 || expert % 8 == 0 || expert > 13);
    Rewrite.Report report = rewrite(subject, profile(subject), plan, "groups.onnx");

    assertThat(errors(subject, report)).contains(" 0 flips");
    check(subject, plan, OnnxReader.read(report.written().model()));
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("inGroups")
  void keepsGroupsThatHoldWhatIsChosen(Expected expected) {
    LoadedModel subject = LoadedModel.open(expected.file(), Target.CPU);
    Plan plan = plan(subject, expert -> expert % 4 != 0 && expert != 15);
    String block = subject.blocks().get(0).name();

    assertThatThrownBy(() -> subject.requirePlan(plan, Path.of("plan.json")))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "plan.json: block '%s': its router cannot be cut: it chooses 2 of 4 groups of 4 experts,"
                    .formatted(block)
                + " and from these 4 experts, but would find only 3 in 0-3 and 12-15: prune fewer,"
                + " or protect some of these (--protect)");
  }

  private static Profile profile(LoadedModel subject) {
    Calibrator calibrator =
        new Calibrator(subject.model(), subject.folder(), subject.blocks(), RunOptions.cpu());
    return new Profile(
        subject.fingerprint(),
        0,
        List.of(),
        calibrator.run(List.of(feeds(subject, 1, 5))).statistics());
  }

  private static Map<String, Tensor> feeds(LoadedModel subject, int batch, int sequence) {
    return RandomFeeds.of(subject.model().graph(), List.of())
        .orElseThrow()
        .make(batch, sequence, 1);
  }

  /** Every other expert goes, or every fourth. */
  private static Plan plan(LoadedModel subject, int percent) {
    int step = 100 / percent;
    return plan(subject, expert -> expert % step == 1);
  }

  private static Plan plan(LoadedModel subject, IntPredicate isPruned) {
    List<Plan.Block> blocks =
        subject.blocks().stream()
            .map(
                block ->
                    new Plan.Block(
                        block.name(),
                        block.experts(),
                        IntStream.range(0, block.experts()).filter(isPruned).boxed().toList()))
            .toList();
    return Plan.of(subject.fingerprint(), Plan.Router.CUT, blocks);
  }

  private Rewrite.Report rewrite(LoadedModel subject, Profile profile, Plan plan, String name) {
    return new Rewrite(subject, RunOptions.cpu(), new Silence())
        .run(
            new Rewrite.Request(folder.resolve(name), Novice.MEAN, Optional.empty(), false, false),
            profile,
            plan,
            Optional.empty());
  }

  /** Proves every shape of batch; says the largest errors. */
  private static String errors(LoadedModel subject, Rewrite.Report report) {
    Proof proof =
        new Proof(
            subject.model(),
            subject.folder(),
            subject.blocks(),
            report.changes(),
            RunOptions.cpu());
    List<Map<String, Tensor>> shapes =
        List.of(feeds(subject, 1, 1), feeds(subject, 1, 5), feeds(subject, 2, 7));
    Verdict verdict = proof.of(report.written().model(), shapes);
    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    return "%.1e block, %.1e whole, %d flips"
        .formatted(verdict.worstBlock(), verdict.endToEnd(), verdict.flips().size());
  }

  private static void check(LoadedModel subject, Plan plan, Model after) {
    OutputRules.hold(subject.read().canonical().original(), after);
    Graph graph = after.graph();
    for (MoeBlock block : subject.blocks()) {
      String router = block.routing().router();
      long experts = block.experts();
      long kept = experts - plan.pruned(block.name()).size();
      long elements = subject.model().graph().constant(router).orElseThrow().elements();
      assertThat(graph.initializers()).doesNotContainKey(router);
      assertThat(graph.initializers().values())
          .anyMatch(
              constant ->
                  constant.name().matches("mone\\.\\d+/kept.*")
                      && constant.tensor().elements() * experts == elements * kept);
    }
  }
}
