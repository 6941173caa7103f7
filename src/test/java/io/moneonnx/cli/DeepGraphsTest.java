package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.DeepGraphs;
import io.moneonnx.TinyMoe;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.Model;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Target;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Graphs of any depth are looked at, or refused, in seconds and on a stack as threads have it. */
class DeepGraphsTest {
  @TempDir Path folder;

  static Stream<Arguments> graphs() {
    return Stream.of(
        Arguments.of("functions", DeepGraphs.functions(3_000, 1), "no Mixture-of-Experts"),
        Arguments.of("doubling functions", DeepGraphs.functions(30, 2), "expected at most 500,000"),
        Arguments.of("elementwise", DeepGraphs.chain("Abs", 20_000), "no Mixture-of-Experts"),
        Arguments.of("casts", DeepGraphs.chain("Cast", 20_000), "no Mixture-of-Experts"),
        Arguments.of("identities", DeepGraphs.chain("Identity", 1_000), "no Mixture-of-Experts"),
        Arguments.of("branches", DeepGraphs.branches(20), "no Mixture-of-Experts"),
        Arguments.of("deep branches", DeepGraphs.branches(500), "nested too deep"),
        Arguments.of(
            "functions in branches",
            DeepGraphs.branchingFunctions(3_000),
            "subgraphs nested 3,000 deep; expected at most 100"),
        block("elementwise before", "x", "logits", "Abs", "dense-loop"),
        block("casts of scores", "logits", "scores", "Cast", "dense-loop"),
        block("casts of the router", "router", "logits", "Cast", "no Mixture-of-Experts"),
        block("identities of the router", "router", "logits", "Identity", "dense-loop"),
        block("casts of routing weights", "gates", "matrix", "Cast", "dense-loop"),
        block("casts of an expert", "up0", "in0", "Cast", "dense-loop"),
        block("elementwise of an expert", "up0", "in0", "Abs", "dense-loop"),
        block("elementwise in an expert", "in0", "act0", "Abs", "dense-loop"),
        block("elementwise after", "routed", "y", "Abs", "dense-loop"));
  }

  /** A block in which so many nodes stand between a value and what reads it. */
  private static Arguments block(
      String name, String value, String reader, String operator, String answer) {
    Model model = TinyMoe.Spelling.COLUMNS.of(4, 2, 4).model();
    return Arguments.of(name, DeepGraphs.before(model, value, reader, operator, 5_000), answer);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("graphs")
  @Timeout(value = 30, unit = TimeUnit.SECONDS)
  void areAnswered(String name, Model model, String answer) throws InterruptedException {
    Path file = folder.resolve("deep.onnx");
    // protobuf descends as deep as the graph, which only the writer of this test asks of it
    Thread writer =
        new Thread(null, () -> OnnxWriter.write(model, file, Placement.INLINE), "writer", 1L << 26);
    writer.start();
    writer.join();

    Cli inspected = Cli.run("inspect", file);

    assertThat(inspected.code())
        .as(inspected.toString())
        .isIn(ExitCode.DONE, ExitCode.NOTHING_TO_DO, ExitCode.BAD_INPUT);
    assertThat(inspected.out() + inspected.err()).contains(answer).doesNotContain("stack");
  }

  @Test
  @Timeout(value = 30, unit = TimeUnit.SECONDS)
  void areRewritten() {
    TinyMoe tiny = TinyMoe.Spelling.COLUMNS.of(4, 2, 4);
    Model before = DeepGraphs.before(tiny.model(), "x", "logits", "Abs", 20_000);
    Canonical canonical = Canonical.of(DeepGraphs.before(before, "routed", "y", "Abs", 20_000));
    List<MoeBlock> blocks = new MoeFinder(Forms.all(Target.CPU)).find(canonical.graph()).blocks();
    TreeMap<Integer, float[]> novices = new TreeMap<>(Map.of(1, new float[4]));

    Model rewritten =
        Rewriter.rewrite(canonical, blocks, Map.of("experts", Replacement.byNovices(novices)));

    assertThat(rewritten.graph().nodes()).hasSizeGreaterThan(40_000);
    assertThat(rewritten.graph().initializers()).doesNotContainKey("up1");
  }
}
