package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.RealExports;
import io.moneonnx.RealExports.Expected;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.NeuronCut;
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
import java.util.OptionalInt;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Experts of real exports are narrowed: each to a width of its own, or all to half. */
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

  private static final Pattern REFUSED =
      Pattern.compile(
          ".*(is quantised: it is made by|is stored as u?int|what its experts compute is not known"
              + "|expected whole groups).*");

  private static final Pattern UNDIVIDED =
      Pattern.compile(".*(slices of its experts cannot be computed apart)");

  static List<Expected> taken() throws IOException {
    return RealExports.taken();
  }

  /** So many neurons, drawn at random, with a matrix drawn at random. */
  private NarrowExpert drawn(MoeBlock block, int width) {
    int[] neurons = random.ints(0, block.inner()).distinct().limit(width).sorted().toArray();
    float[] down = new float[width * block.hidden()];
    for (int i = 0; i < down.length; i++) {
      down[i] = 0.1f * (float) random.nextGaussian();
    }
    return new NarrowExpert(neurons, down);
  }

  /** Half of all neurons of each expert; where these are quantised, every second group. */
  private Replacement half(Graph graph, MoeBlock block) {
    OptionalInt group = NeuronCut.of(graph, block).group();
    TreeMap<Integer, NarrowExpert> narrow = new TreeMap<>();
    for (int expert = 0; expert < block.experts(); expert++) {
      int parity = expert % 2;
      narrow.put(
          expert,
          group.isPresent()
              ? new NarrowExpert(
                  IntStream.range(0, block.inner())
                      .filter(neuron -> neuron / group.getAsInt() % 2 == parity)
                      .toArray())
              : drawn(block, Math.max(1, block.inner() / 2)));
    }
    return Replacement.byNarrow(narrow);
  }

  /** By turns no quarter of an expert's neurons, for which zeros stand in, one, ..., all four. */
  private Replacement quarters(MoeBlock block) {
    TreeMap<Integer, NarrowExpert> narrow = new TreeMap<>();
    TreeMap<Integer, float[]> zeros = new TreeMap<>();
    for (int expert = 0; expert < block.experts(); expert++) {
      int width = expert % 5 * (block.inner() / 4);
      if (width == 0) {
        zeros.put(expert, new float[block.hidden()]);
      } else if (width < block.inner()) {
        narrow.put(expert, drawn(block, width));
      }
    }
    return new Replacement(zeros, narrow);
  }

  /** Of every form, with one width a block. */
  @ParameterizedTest
  @MethodSource("taken")
  void holdsAtHalfTheWidthOrIsRefusedInWords(Expected expected) {
    LoadedModel subject = LoadedModel.open(expected.file(), Target.CPU);
    Map<String, Replacement> changes = new HashMap<>();
    for (MoeBlock block : subject.blocks()) {
      if (block.inner() > 0) {
        changes.put(block.name(), half(subject.model().graph(), block));
      }
    }
    Optional<String> refusal =
        subject.blocks().stream()
            .filter(block -> changes.containsKey(block.name()))
            .flatMap(
                block ->
                    NeuronCut.of(subject.model().graph(), block)
                        .objection(changes.get(block.name()).narrow())
                        .stream())
            .findFirst();
    if (refusal.isPresent()) {
      assertThat(refusal.get()).matches(REFUSED);
      return;
    }
    holds(subject, changes);
  }

  /** Of every form whose experts share a value, unless it has one width a block only. */
  @ParameterizedTest
  @MethodSource("taken")
  void holdsInAtomsOrSaysWhyExpertsShareAWidth(Expected expected) {
    LoadedModel subject = LoadedModel.open(expected.file(), Target.CPU);
    Graph graph = subject.model().graph();
    Map<String, Replacement> changes = new HashMap<>();
    for (MoeBlock block : subject.blocks()) {
      if (block.inner() > 0
          && NeuronCut.of(graph, block).objection(half(graph, block).narrow()).isEmpty()
          && NeuronCut.of(graph, block).group().isEmpty()
          && NeuronCut.of(graph, block).isShared()) {
        NeuronCut neurons = NeuronCut.of(graph, block);
        Replacement quarters = quarters(block);
        Optional<String> refusal =
            neurons.objection(quarters.narrow(), quarters.novices().keySet());
        assertThat(refusal.isPresent())
            .as("%s: %s", block.name(), refusal)
            .isEqualTo(neurons.indivisible().isPresent());
        if (refusal.isPresent()) {
          assertThat(refusal.get()).endsWith("; " + neurons.indivisible().get());
          assertThat(refusal.get()).matches(UNDIVIDED);
        } else {
          changes.put(block.name(), quarters);
        }
      }
    }
    if (!changes.isEmpty()) {
      holds(subject, changes);
    }
  }

  private void holds(LoadedModel subject, Map<String, Replacement> changes) {
    Path file = folder.resolve("narrow.onnx");
    OnnxWriter.write(
        Rewriter.rewrite(subject.read().canonical(), subject.blocks(), changes),
        file,
        Placement.INLINE);
    Verdict verdict =
        new Proof(subject.model(), subject.folder(), subject.blocks(), changes, RunOptions.cpu())
            .of(file, TrialFeeds.of(subject, Optional.empty(), "").proof());

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
  }

  private static List<String> operators(Model model) {
    return model.graph().nodes().stream().map(Node::opType).toList();
  }
}
