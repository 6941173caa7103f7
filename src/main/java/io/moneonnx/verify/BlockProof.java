package io.moneonnx.verify;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.run.RuntimeFailureException;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Compares blocks one by one on the input that each has in runs of the original, with the choices
 * of those runs and with choices that reach every expert, together and one by one.
 */
final class BlockProof {
  private final ProofRuns bench;
  private final Path writtenFolder;
  private final Map<String, ? extends Change> changes;
  private final Map<MoeBlock, Cuts> cuts = new LinkedHashMap<>();
  private final List<String> failures = new ArrayList<>();

  /** A block as the original, as the oracle and as the written file compute it. */
  private record Cuts(BlockCut original, BlockCut oracle, BlockCut written) {}

  BlockProof(ProofRuns bench, Path writtenFolder, Map<String, ? extends Change> changes) {
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
            block.routingWeights().value());
    cuts.put(
        block,
        new Cuts(
            bench.cut(bench.original(), from, block.output(), block.weights()),
            bench.cut(oracle.model(), from, oracle.outputs().get(block.name()), block.weights()),
            bench.cut(written, from, output, block.weights())));
  }

  /** By block the largest relative error of its routed output; infinite where it does not run. */
  Map<String, Double> errors(List<Map<String, Tensor>> feeds) {
    Set<String> taps = new LinkedHashSet<>();
    cuts.forEach(
        (block, cut) -> {
          taps.addAll(cut.original().inputs());
          taps.addAll(cut.oracle().inputs());
          taps.addAll(cut.written().inputs());
        });
    List<Map<String, Tensor>> runs = bench.values(taps, feeds);
    Map<String, Double> errors = new LinkedHashMap<>();
    cuts.forEach((block, cut) -> errors.put(block.name(), error(block, cut, runs)));
    return errors;
  }

  /** What did not run, and why, a sentence each. */
  List<String> failures() {
    return List.copyOf(failures);
  }

  private double error(MoeBlock block, Cuts cut, List<Map<String, Tensor>> runs) {
    List<Map<String, Tensor>> sums = new ArrayList<>();
    runs.forEach(values -> sums.addAll(tries(block, values)));
    List<Map<String, Tensor>> single =
        EveryExpert.alone(block, choosable(block), fewest(block, runs));
    List<Map<String, Tensor>> all = Stream.concat(sums.stream(), single.stream()).toList();
    List<Tensor> expected =
        outputs(cut.oracle(), Value.undeclared(cut.oracle().output()), bench.folder(), all);
    ElementType type = expected.get(0).type();
    if (isLost(cut, type, all, expected)) {
      failures.add(
          "block '%s' is not finite with these novices, expected finite numbers as in the original"
              .formatted(block.name()));
      return Double.POSITIVE_INFINITY;
    }
    try {
      List<Tensor> found = outputs(cut.written(), type, writtenFolder, all);
      return IntStream.range(0, all.size())
          .mapToDouble(
              i ->
                  i < sums.size()
                      ? Difference.relative(found.get(i), expected.get(i))
                      : Difference.byRow(found.get(i), expected.get(i)))
          .max()
          .orElse(0);
    } catch (RuntimeFailureException e) {
      failures.add("block '%s' does not run: %s".formatted(block.name(), e.getMessage()));
      return Double.POSITIVE_INFINITY;
    }
  }

  /** The original is asked only where something is not finite. */
  private boolean isLost(
      Cuts cut, ElementType type, List<Map<String, Tensor>> runs, List<Tensor> expected) {
    List<Integer> suspects =
        IntStream.range(0, runs.size())
            .filter(i -> !Difference.isFinite(expected.get(i)))
            .boxed()
            .toList();
    List<Tensor> own =
        outputs(cut.original(), type, bench.folder(), suspects.stream().map(runs::get).toList());
    return IntStream.range(0, own.size())
        .anyMatch(i -> Difference.isLost(expected.get(suspects.get(i)), own.get(i)));
  }

  private List<Tensor> outputs(
      BlockCut cut, ElementType type, Path folder, List<Map<String, Tensor>> runs) {
    return outputs(cut, Value.untyped(cut.output(), type), folder, runs);
  }

  private List<Tensor> outputs(
      BlockCut cut, Value declared, Path folder, List<Map<String, Tensor>> runs) {
    if (runs.isEmpty()) {
      return List.of();
    }
    try (Session session = bench.open(cut, runs.get(0), declared, folder)) {
      return runs.stream().map(values -> ProofRuns.run(session, cut, values)).toList();
    }
  }

  /** The run with the fewest tokens that reach every expert, or else the one with most. */
  private Map<String, Tensor> fewest(MoeBlock block, List<Map<String, Tensor>> runs) {
    ToLongFunction<Map<String, Tensor>> size =
        values -> values.get(block.routing().choice().value()).elements();
    long wanted = EveryExpert.elements(block);
    return runs.stream()
        .filter(values -> size.applyAsLong(values) >= wanted)
        .min(Comparator.comparingLong(size))
        .orElseGet(() -> runs.stream().max(Comparator.comparingLong(size)).orElseThrow());
  }

  /**
   * The choices of a run, and made-up ones: experts in the order of their ids, and those that stay
   * before those that are replaced, so that some are chosen together that both stay.
   */
  private List<Map<String, Tensor>> tries(MoeBlock block, Map<String, Tensor> values) {
    List<Integer> inOrder = choosable(block);
    List<Map<String, Tensor>> tries = new ArrayList<>();
    tries.add(values);
    tries.add(EveryExpert.chosen(block, inOrder, values));
    if (changes.get(block.name()) instanceof Replacement replacement) {
      List<Integer> keptFirst = new ArrayList<>(inOrder);
      keptFirst.removeAll(replacement.experts());
      keptFirst.addAll(replacement.experts());
      tries.add(EveryExpert.chosen(block, keptFirst, values));
    }
    return tries;
  }

  private List<Integer> choosable(MoeBlock block) {
    Set<Integer> never =
        changes.get(block.name()) instanceof Removal removal ? removal.ids() : Set.of();
    return block.routing().without(never);
  }
}
