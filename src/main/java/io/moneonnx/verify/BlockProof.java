package io.moneonnx.verify;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Compares blocks one by one on the input that each has in runs of the original, with the choices
 * of those runs and with choices that reach every expert.
 */
final class BlockProof {
  private final Bench bench;
  private final Path writtenFolder;
  private final Map<String, ? extends Change> changes;
  private final Map<MoeBlock, Pair> pairs = new LinkedHashMap<>();

  /** A block as the oracle and as the written file compute it. */
  private record Pair(BlockCut oracle, BlockCut written) {}

  BlockProof(Bench bench, Path writtenFolder, Map<String, ? extends Change> changes) {
    this.bench = bench;
    this.writtenFolder = writtenFolder;
    this.changes = changes;
  }

  /**
   * Adds a block.
   *
   * @param output the value that is its routed output in the written file
   */
  void add(MoeBlock block, Oracle.Substituted oracle, Model written, String output) {
    List<String> from =
        List.of(
            block.routing().input(),
            block.routing().choice().value(),
            block.coefficients().value());
    pairs.put(
        block,
        new Pair(
            bench.cut(oracle.model(), from, oracle.outputs().get(block.name())),
            bench.cut(written, from, output)));
  }

  /** By block the largest relative error of its routed output. */
  Map<String, Double> errors(List<Map<String, Tensor>> feeds) {
    Set<String> taps = new LinkedHashSet<>();
    pairs.forEach(
        (block, pair) -> {
          taps.addAll(pair.oracle().inputs());
          taps.addAll(pair.written().inputs());
          taps.add(block.output());
        });
    List<Map<String, Tensor>> runs = bench.values(taps, feeds);
    Map<String, Double> errors = new LinkedHashMap<>();
    pairs.forEach((block, pair) -> errors.put(block.name(), error(block, pair, runs)));
    return errors;
  }

  private double error(MoeBlock block, Pair pair, List<Map<String, Tensor>> runs) {
    Map<String, Tensor> any = runs.get(0);
    ElementType type = any.get(block.output()).type();
    double worst = 0;
    try (Session oracle = bench.open(pair.oracle(), any, type, bench.folder());
        Session written = bench.open(pair.written(), any, type, writtenFolder)) {
      for (Map<String, Tensor> values : runs) {
        for (Map<String, Tensor> tried : List.of(values, everyExpert(block, values))) {
          Tensor expected = Bench.run(oracle, pair.oracle(), tried);
          Tensor found = Bench.run(written, pair.written(), tried);
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
}
