package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.Target;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.Proof;
import io.moneonnx.verify.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every expert of a real export is given a width of its own. */
final class NarrowExportTest {
  private static final Path OLMOE = Path.of("models", "olmoe-tiny", "model.onnx");

  @TempDir private Path folder;

  private final Random random = new Random(3);

  /** As many neurons as its id says, drawn at random, and their columns of the down projection. */
  private NarrowExpert narrow(Graph graph, Ffn ffn, int width) {
    List<Integer> neurons = new ArrayList<>(IntStream.range(0, ffn.inner()).boxed().toList());
    while (neurons.size() > width) {
      neurons.remove(random.nextInt(neurons.size()));
    }
    String weight = ffn.down().weight();
    float[] all = graph.constant(weight).orElseThrow().toFloats();
    float[] down = new float[ffn.hidden() * width];
    for (int i = 0; i < down.length; i++) {
      int row = i / width;
      int neuron = neurons.get(i % width);
      boolean isInByOut = ffn.down().in() < ffn.down().out();
      down[i] = 1.25f * all[isInByOut ? neuron * ffn.hidden() + row : row * ffn.inner() + neuron];
    }
    return new NarrowExpert(neurons.stream().mapToInt(Integer::intValue).toArray(), down);
  }

  @Test
  void isWhatItsOracleSaysAndAsMuchSmaller() throws IOException {
    LoadedModel subject = LoadedModel.open(OLMOE, Target.CPU);
    Graph graph = subject.model().graph();
    Map<String, Replacement> changes = new HashMap<>();
    long gone = 0;
    for (MoeBlock block : subject.blocks()) {
      TreeMap<Integer, NarrowExpert> narrow = new TreeMap<>();
      for (int expert = 0; expert < block.experts(); expert++) {
        Ffn ffn = block.ffn().get(expert);
        int width = 1 + expert % ffn.inner();
        narrow.put(expert, narrow(graph, ffn, width));
        gone += 3L * 4 * block.hidden() * (ffn.inner() - width);
      }
      changes.put(block.name(), Replacement.byNarrow(narrow));
    }
    Model narrowed = Rewriter.rewrite(subject.read().canonical(), subject.blocks(), changes);
    Path file = folder.resolve("narrow.onnx");
    OnnxWriter.write(narrowed, file, Placement.INLINE);
    List<Map<String, Tensor>> feeds = TrialFeeds.of(subject, Optional.empty(), "").proof();
    Verdict verdict =
        new Proof(subject.model(), subject.folder(), subject.blocks(), changes, RunOptions.cpu())
            .of(file, feeds);

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    assertThat(subject.blocks()).isNotEmpty();
    assertThat(operators(narrowed)).isEqualTo(operators(subject.read().canonical().original()));
    assertThat(Files.size(OLMOE) - Files.size(file)).isCloseTo(gone, within(10_000L));
  }

  private static List<String> operators(Model model) {
    return model.graph().nodes().stream().map(Node::opType).toList();
  }
}
