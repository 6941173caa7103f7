package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.Mutant;
import io.moneonnx.RealExports;
import io.moneonnx.RealExports.Expected;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.data.RandomFeeds;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Target;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.plan.Novice;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import io.moneonnx.run.Session;
import io.moneonnx.verify.Proof;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Rewrites broken on purpose are found; counts go to {@code target/mutations.tsv}. */
class MutationsTest {
  /**
   * Planted and caught, and what came to the same outputs, by form or spelling, router and kind.
   */
  private static final Map<String, int[]> COUNTS = new ConcurrentSkipListMap<>();

  @TempDir private Path folder;

  @AfterAll
  static void writeTable() throws IOException {
    List<String> lines = new ArrayList<>();
    lines.add("graph\trouter\tkind\tplanted\tcaught\tthe same outputs");
    COUNTS.forEach((key, n) -> lines.add("%s\t%d\t%d\t%d".formatted(key, n[0], n[1], n[2])));
    Files.write(Path.of("target", "mutations.tsv"), lines);
  }

  static Stream<Arguments> spellings() {
    return Stream.of(Spelling.values())
        .flatMap(
            spelling ->
                Stream.of(Arguments.of(spelling, false, 2), Arguments.of(spelling, true, 4)));
  }

  @ParameterizedTest
  @MethodSource("spellings")
  void areFoundInEverySpelling(Spelling spelling, boolean isCut, int step) {
    TinyMoe tiny = spelling.of(8, 2, 4);
    Model model = tiny.model();
    IntFunction<Map<String, Tensor>> feeds = tokens -> Map.of("x", tiny.tokens(tokens, tokens));
    plant(spelling + "", model, Path.of(""), List.of(tiny.block()), feeds, isCut, step);
  }

  /** Half of the experts of every other export go, a quarter of the others'. */
  static Stream<Arguments> exports() throws IOException {
    List<Expected> taken = RealExports.taken();
    return IntStream.range(0, taken.size())
        .boxed()
        .flatMap(
            i ->
                Stream.of(
                    Arguments.of(taken.get(i), false, i % 2 == 0 ? 2 : 4),
                    Arguments.of(taken.get(i), true, i % 2 == 0 ? 4 : 2)));
  }

  @Tag("exhaustive")
  @ParameterizedTest
  @MethodSource("exports")
  void areFoundInRealExports(Expected expected, boolean isCut, int step) {
    LoadedModel subject = LoadedModel.open(expected.file(), Target.CPU);
    RandomFeeds random = RandomFeeds.of(subject.model().graph(), List.of()).orElseThrow();
    IntFunction<Map<String, Tensor>> feeds = tokens -> random.make(1, tokens, tokens);
    String form = subject.blocks().get(0).form();
    plant(form, subject.model(), subject.folder(), subject.blocks(), feeds, isCut, step);
  }

  private void plant(
      String graph,
      Model model,
      Path from,
      List<MoeBlock> blocks,
      IntFunction<Map<String, Tensor>> feeds,
      boolean isCut,
      int step) {
    Map<String, Change> changes = changes(model, from, blocks, feeds.apply(64), isCut, step);
    List<Map<String, Tensor>> tried = List.of(feeds.apply(Proof.tokens(blocks)), feeds.apply(24));
    Model rewritten;
    try {
      rewritten = Rewriter.rewrite(Canonical.of(model), blocks, changes);
    } catch (BadInputException e) {
      assertThat(e).hasMessageContaining("cannot be cut");
      return;
    }
    Proof proof = new Proof(Canonical.of(model).model(), from, blocks, changes, RunOptions.cpu());
    assertThat(holds(proof, rewritten, tried)).isTrue();
    int place = blocks.size() - 1;
    Change change = changes.get(blocks.get(place).name());
    for (Mutant mutant : Mutant.of(model, rewritten, blocks, place, change)) {
      int[] counts =
          COUNTS.computeIfAbsent(
              "%s\t%s\t%s".formatted(graph, isCut ? "cut" : "keep", mutant.kind()),
              key -> new int[3]);
      boolean isCaught = !holds(proof, mutant.model(), tried);
      if (!isCaught && isSame(mutant.model(), rewritten, from, feeds.apply(128))) {
        counts[2]++;
        continue;
      }
      counts[0]++;
      counts[1] += isCaught ? 1 : 0;
      assertThat(isCaught).as(mutant.what()).isTrue();
    }
  }

  private static Map<String, Change> changes(
      Model model,
      Path from,
      List<MoeBlock> blocks,
      Map<String, Tensor> feeds,
      boolean isCut,
      int step) {
    List<BlockStatistics> measured =
        new Calibrator(Canonical.of(model).model(), from, blocks, RunOptions.cpu())
            .run(List.of(feeds))
            .statistics();
    Map<String, Change> changes = new LinkedHashMap<>();
    for (BlockStatistics block : measured) {
      TreeMap<Integer, float[]> novices = new TreeMap<>();
      for (int expert = 1; expert < block.experts(); expert += step) {
        novices.put(expert, Novice.MEAN.of(block, expert));
      }
      changes.put(
          block.name(),
          isCut ? new Removal(new TreeSet<>(novices.keySet())) : Replacement.byNovices(novices));
    }
    return changes;
  }

  private boolean holds(Proof proof, Model model, List<Map<String, Tensor>> feeds) {
    Path file = folder.resolve("rewritten.onnx");
    OnnxWriter.write(model, file, Placement.INLINE);
    try {
      return proof.of(file, feeds).holds();
    } catch (RuntimeFailureException e) {
      return false;
    }
  }

  /**
   * True where nothing that was changed is ever seen: novices of experts that nobody chose are
   * zeros, scaled or swapped. The outputs are the same to the bit.
   */
  private static boolean isSame(
      Model mutant, Model rewritten, Path from, Map<String, Tensor> feeds) {
    return outputs(mutant, from, feeds).equals(outputs(rewritten, from, feeds));
  }

  private static Map<String, Tensor> outputs(Model model, Path from, Map<String, Tensor> feeds) {
    List<String> outputs = Proof.floatingOutputs(model.graph());
    try (Session session = Session.open("mutant", model, from, RunOptions.cpu())) {
      return session.run(feeds, outputs);
    }
  }
}
