package io.moneonnx.verify;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Flat;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.KeyValueRoom;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Proves a rewritten file against the oracle: block by block on the block's own input, taken from a
 * run of the original, with the choices of that run and with choices that reach every expert; and
 * end to end.
 */
public final class Proof {
  private final Model original;
  private final Path folder;
  private final RunOptions options;
  private final List<MoeBlock> blocks;
  private final List<MoeBlock> changed;
  private final Map<String, ? extends Change> changes;

  /**
   * A proof for what was changed in a model.
   *
   * @param original as it was read
   * @param folder where the original's files lie
   */
  public Proof(
      Model original,
      Path folder,
      List<MoeBlock> blocks,
      Map<String, ? extends Change> changes,
      RunOptions options) {
    Masked masked = Masked.of(original, blocks, changes);
    this.original = Flat.of(masked.model());
    this.folder = folder;
    this.options = options;
    this.changes = changes;
    this.blocks = masked.blocks();
    this.changed = this.blocks.stream().filter(block -> changes.containsKey(block.name())).toList();
  }

  /** Tokens that a run should have so that every expert of every block can be chosen in it. */
  public static int tokens(List<MoeBlock> blocks) {
    return blocks.stream().mapToInt(EveryExpert::tokens).max().orElse(1);
  }

  /**
   * Runs the proof on the file as it was written.
   *
   * @param outputs for each block the value that is its routed output in the rewritten file
   * @param feeds inputs of the original to try, one run each
   */
  public Verdict of(Path rewritten, Map<String, String> outputs, List<Map<String, Tensor>> feeds) {
    Model written = OnnxReader.read(rewritten);
    Oracle.Substituted oracle = Oracle.of(original, blocks, changes);
    Map<String, Double> blockErrors = blockByBlock(oracle, written, rewritten, outputs, feeds);
    return endToEnd(oracle.model(), written, rewritten, feeds, blockErrors);
  }

  /** A block as the oracle and as the written file compute it. */
  private record Pair(BlockCut oracle, BlockCut written) {}

  private Map<String, Double> blockByBlock(
      Oracle.Substituted oracle,
      Model written,
      Path rewritten,
      Map<String, String> outputs,
      List<Map<String, Tensor>> feeds) {
    Map<MoeBlock, Pair> pairs = new LinkedHashMap<>();
    Set<String> taps = new LinkedHashSet<>();
    for (MoeBlock block : changed) {
      List<String> from =
          List.of(
              block.routing().input(),
              block.routing().choice().value(),
              block.coefficients().value());
      Pair pair =
          new Pair(
              cut(oracle.model(), from, oracle.outputs().get(block.name())),
              cut(written, from, outputs.get(block.name())));
      pairs.put(block, pair);
      taps.addAll(pair.oracle().inputs());
      taps.addAll(pair.written().inputs());
      taps.add(block.output());
    }
    List<Map<String, Tensor>> borders = borders(taps, feeds);
    Map<String, Double> errors = new LinkedHashMap<>();
    pairs.forEach(
        (block, pair) ->
            errors.put(block.name(), error(block, pair, rewritten.getParent(), borders)));
    return errors;
  }

  private BlockCut cut(Model changed, List<String> from, String output) {
    Predicate<String> isGiven = value -> original.graph().producer(value).isPresent();
    return BlockCut.of(changed, from, output, isGiven);
  }

  /** The values at the blocks' borders in runs of the original. */
  private List<Map<String, Tensor>> borders(Set<String> taps, List<Map<String, Tensor>> feeds) {
    List<Map<String, Tensor>> borders = new ArrayList<>();
    try (Session session = open(withOutputs(original, taps), folder)) {
      List<String> made = taps.stream().filter(session.outputs()::contains).toList();
      for (Map<String, Tensor> feed : feeds) {
        Map<String, Tensor> values = new HashMap<>(feed);
        values.putAll(session.run(feed, made));
        borders.add(values);
      }
    }
    return borders;
  }

  private double error(
      MoeBlock block, Pair pair, Path writtenFolder, List<Map<String, Tensor>> borders) {
    Map<String, ElementType> types = new HashMap<>();
    borders.get(0).forEach((name, tensor) -> types.put(name, tensor.type()));
    ElementType type = types.get(block.output());
    double worst = 0;
    try (Session oracle = open(pair.oracle().model(types, type), folder);
        Session written = open(pair.written().model(types, type), writtenFolder)) {
      for (Map<String, Tensor> values : borders) {
        for (Map<String, Tensor> tried : List.of(values, everyExpert(block, values))) {
          Tensor expected = run(oracle, pair.oracle(), tried);
          Tensor found = run(written, pair.written(), tried);
          worst = Math.max(worst, Difference.relative(found, expected));
        }
      }
    }
    return worst;
  }

  private Map<String, Tensor> everyExpert(MoeBlock block, Map<String, Tensor> values) {
    Set<Integer> never =
        changes.get(block.name()) instanceof Removal removal ? removal.ids() : Set.of();
    return EveryExpert.chosen(block, block.routing().without(never), values);
  }

  private static Tensor run(Session session, BlockCut cut, Map<String, Tensor> values) {
    Map<String, Tensor> feeds = new HashMap<>();
    cut.inputs().forEach(name -> feeds.put(name, values.get(name)));
    return session.run(feeds, List.of(cut.output())).get(cut.output());
  }

  private Verdict endToEnd(
      Model oracle,
      Model written,
      Path rewritten,
      List<Map<String, Tensor>> feeds,
      Map<String, Double> blockErrors) {
    Set<String> routing = new LinkedHashSet<>();
    for (MoeBlock block : blocks) {
      routing.add(block.routing().choice().value());
      routing.add(block.routing().choice().scores());
    }
    List<String> outputs = comparedOutputs(original.graph()).map(Value::name).toList();
    Set<String> asked = new LinkedHashSet<>(outputs);
    asked.addAll(routing);
    EndToEnd comparison = new EndToEnd(blocks, outputs);
    try (Session expected = open(withOutputs(oracle, routing), folder);
        Session found = open(withOutputs(written, routing), rewritten.getParent())) {
      for (Map<String, Tensor> feed : feeds) {
        comparison.add(expected.run(feed, asked), found.run(feed, asked));
      }
    }
    return comparison.verdict(blockErrors);
  }

  /** Names of the outputs that can be compared number by number. */
  public static List<String> floatingOutputs(Graph graph) {
    return comparedOutputs(graph)
        .filter(output -> output.type().map(ElementType::isFloating).orElse(false))
        .map(Value::name)
        .toList();
  }

  /** All outputs but those of which a part is whatever was in memory. */
  private static Stream<Value> comparedOutputs(Graph graph) {
    return graph.outputs().stream().filter(output -> !KeyValueRoom.isGiven(graph, output.name()));
  }

  private Session open(Model model, Path dataFolder) {
    return Session.open(
        "the model under proof", OnnxWriter.toBytes(model, dataFolder), dataFolder, options);
  }

  /** The model with these values as further outputs; inputs and present outputs are left out. */
  private static Model withOutputs(Model model, Collection<String> values) {
    GraphEdit edit = new GraphEdit(model);
    for (String value : values) {
      boolean isMade = model.graph().producer(value).isPresent();
      if (isMade && !model.graph().isOutput(value)) {
        edit.addOutput(Value.undeclared(value));
      }
    }
    return edit.apply();
  }
}
