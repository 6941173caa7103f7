package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import io.moneonnx.data.RandomFeeds;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Target;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import io.moneonnx.verify.Difference;
import io.moneonnx.verify.Proof;
import io.moneonnx.verify.Verdict;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Files of public reports, newer exporters and tools that people run first, in the folder that the
 * system property {@code cases} names; skipped where there is none.
 */
class CasesTest {
  /** What is found, rewritten and proved. */
  private static final List<String> SPELLINGS =
      List.of(
          "mobius-deepseek_v2",
          "mobius-granitemoehybrid",
          "mobius-nemotron_h_1",
          "p7_gemma4_computed_fc1",
          "tool-einsum_ts__nb4",
          "tool-einsum_ts__ort_basic",
          "tool-gptoss_genai__store_f16",
          "tool-mixtral_hfexp__ort_all",
          "tool-mixtral_hfexp__store_f16",
          "tool-mixtral_ts__ort_basic",
          "tool-olmoe_ts_bmm__f16_io",
          "tool-olmoe_ts_bmm__olive_rtn4",
          "tool-olmoe_ts_bmm__store_f16",
          "tool-mixtral_ts__dyn_int8",
          "report-dyn8-dense",
          "report-fp16-sparse",
          "report-ortopt1-sparse",
          "report-seeded-shared",
          "report-static-qdq-sparse",
          "report-sum-node");

  @TempDir private Path folder;

  /** One row of {@code cases.json}. */
  record Case(String name, Path path, int blocks) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Case> all() throws IOException {
    String cases = System.getProperty("cases", "");
    if (cases.isEmpty()) {
      return List.of(new Case("", Path.of(""), 0));
    }
    try (Reader reader = Files.newBufferedReader(Path.of(cases, "cases.json"))) {
      return JsonParser.parseReader(reader).getAsJsonArray().asList().stream()
          .map(JsonElement::getAsJsonObject)
          .map(
              row ->
                  new Case(
                      row.get("name").getAsString(),
                      Path.of(cases, row.get("path").getAsString()),
                      row.get("blocks").isJsonNull() ? 0 : row.get("blocks").getAsInt()))
          .toList();
    }
  }

  static List<Case> spellings() throws IOException {
    return all().stream()
        .filter(found -> found.name().isEmpty() || SPELLINGS.contains(found.name()))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("all")
  void isReadOrRefusedInOneLine(Case given) {
    assumeThat(given.name()).isNotEmpty();
    try {
      assertThat(LoadedModel.open(given.path(), Target.CPU).findings()).isNotNull();
    } catch (BadInputException e) {
      assertThat(e).hasMessageStartingWith(given.path().toString());
      assertThat(e.getMessage().lines()).hasSize(1);
    }
  }

  @ParameterizedTest
  @MethodSource("spellings")
  void isFoundRewrittenAndProved(Case given) {
    assumeThat(given.name()).isNotEmpty();
    LoadedModel subject = LoadedModel.open(given.path(), Target.CPU);
    assertThat(subject.findings().refusals()).isEmpty();
    assertThat(subject.blocks()).isNotEmpty();
    if (given.blocks() > 0) {
      assertThat(subject.blocks()).hasSize(given.blocks());
    }
    Map<String, Tensor> feeds =
        RandomFeeds.of(subject.model().graph(), List.of()).orElseThrow().make(2, 7, 1);
    computesTheSame(subject, feeds);

    Map<String, Replacement> changes = new HashMap<>();
    subject.blocks().forEach(block -> changes.put(block.name(), everySecond(block)));
    Path out = folder.resolve("out.onnx");
    try (var draft =
        OnnxWriter.draft(
            Rewriter.rewrite(subject.read().canonical(), subject.blocks(), changes),
            subject.files(),
            out,
            Placement.INLINE)) {
      Verdict verdict =
          new Proof(subject.model(), subject.folder(), subject.blocks(), changes, RunOptions.cpu())
              .of(draft.path(), List.of(feeds));
      assertThat(verdict.holds()).as(verdict.text()).isTrue();
      assertThat(bytes(draft.path())).isLessThan(subject.files().bytes());
      assertThat(OnnxReader.read(draft.path()).graph().outputs())
          .isEqualTo(subject.read().canonical().original().graph().outputs());
    }
  }

  private static long bytes(Path file) {
    return file.toFile().length();
  }

  /** The canonical graph and the file. */
  private static void computesTheSame(LoadedModel subject, Map<String, Tensor> feeds) {
    List<String> outputs = Proof.floatingOutputs(subject.model().graph());
    assertThat(outputs).isNotEmpty();
    try (Session file = Session.open(subject.file(), RunOptions.cpu());
        Session canonical =
            Session.open("canonical", subject.model(), subject.folder(), RunOptions.cpu())) {
      Map<String, Tensor> expected = file.run(feeds, outputs);
      canonical
          .run(feeds, outputs)
          .forEach(
              (output, found) ->
                  assertThat(Difference.relative(found, expected.get(output)))
                      .as(output)
                      .isLessThan(1e-2));
    }
  }

  private static Replacement everySecond(MoeBlock block) {
    TreeMap<Integer, float[]> novices = new TreeMap<>();
    IntStream.range(0, block.experts())
        .filter(expert -> expert % 2 == 1)
        .forEach(expert -> novices.put(expert, new float[block.hidden()]));
    return Replacement.byNovices(novices);
  }
}
