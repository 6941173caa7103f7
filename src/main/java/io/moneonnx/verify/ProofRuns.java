package io.moneonnx.verify;

import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The original of a proof, and how parts of it and of what was made of it are run.
 *
 * @param original in its canonical spelling, experts that are cut out never chosen
 * @param folder where the original's files lie
 */
record ProofRuns(Model original, Path folder, RunOptions options) {
  /**
   * What leads from values of the original to this one in a model that was changed.
   *
   * @param own constants that only what leads there reads
   */
  BlockCut cut(Model changed, List<String> from, String output, Set<String> own) {
    Graph graph = original.graph();
    return BlockCut.of(
        changed,
        from,
        output,
        value ->
            graph.producer(value).isPresent()
                || (graph.constant(value).isPresent() && !own.contains(value)));
  }

  /**
   * These values, and all inputs, in runs of the original: one for each of the feeds. What only
   * other values need is not run.
   */
  List<Map<String, Tensor>> values(Collection<String> taps, List<Map<String, Tensor>> feeds) {
    Model tapped = only(withOutputs(original, taps), taps);
    if (tapped.graph().outputs().isEmpty()) {
      return feeds;
    }
    List<Map<String, Tensor>> runs = new ArrayList<>();
    try (Session session = open(tapped, folder)) {
      List<String> made = taps.stream().filter(session.outputs()::contains).toList();
      for (Map<String, Tensor> feed : feeds) {
        Map<String, Tensor> values = new HashMap<>(feed);
        values.putAll(session.run(feed, made));
        runs.add(values);
      }
    }
    return runs;
  }

  /**
   * Those of these values that are not finite somewhere in a run where those of the original are.
   */
  List<String> lost(List<String> values, Map<String, Tensor> run, Map<String, Tensor> feed) {
    List<String> suspects =
        values.stream().filter(value -> !Difference.isFinite(run.get(value))).toList();
    if (suspects.isEmpty()) {
      return List.of();
    }
    Map<String, Tensor> own = values(suspects, List.of(feed)).get(0);
    return suspects.stream()
        .filter(value -> Difference.isLost(run.get(value), own.get(value)))
        .toList();
  }

  /**
   * Opens what was cut out of a model whose files lie in {@code dataFolder}.
   *
   * @param output as the cut declares what comes out of it
   */
  Session open(BlockCut cut, Map<String, Tensor> values, Value output, Path dataFolder) {
    Map<String, ElementType> types = new HashMap<>();
    values.forEach((name, tensor) -> types.put(name, tensor.type()));
    return open(cut.model(types, output), dataFolder);
  }

  Session open(Model model, Path dataFolder) {
    return Session.open("the model under proof", options.fitting(model), dataFolder, options);
  }

  /** What comes out of a cut that was opened. */
  static Tensor run(Session session, BlockCut cut, Map<String, Tensor> values) {
    Map<String, Tensor> feeds = new HashMap<>();
    cut.inputs().forEach(name -> feeds.put(name, values.get(name)));
    return session.run(feeds, List.of(cut.output())).get(cut.output());
  }

  private static Model only(Model model, Collection<String> outputs) {
    Graph graph = model.graph();
    List<Value> wanted =
        graph.outputs().stream().filter(value -> outputs.contains(value.name())).toList();
    return model.withGraph(DeadCode.remove(graph.withOutputs(wanted)));
  }

  /** The model with these values as further outputs; inputs and present outputs are left out. */
  static Model withOutputs(Model model, Collection<String> values) {
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
