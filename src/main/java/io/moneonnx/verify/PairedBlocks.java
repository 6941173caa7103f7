package io.moneonnx.verify;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Model;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.rewrite.Provenance;
import io.moneonnx.rewrite.Provenance.Gone;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The blocks of a model that can be found again in a pruned one.
 *
 * @param missing what cannot be told of blocks and why, a line each
 */
record PairedBlocks(List<PairedBlock> blocks, List<String> missing) {
  PairedBlocks {
    blocks = List.copyOf(blocks);
    missing = List.copyOf(missing);
  }

  static PairedBlocks of(Model original, List<MoeBlock> blocks, Model pruned) {
    return new Search(
            original.graph(),
            pruned.graph(),
            Provenance.gone(original).orElse(Map.of()),
            Provenance.gone(pruned))
        .of(blocks);
  }

  /** All values that are read of these blocks on one side. */
  Set<String> values(Function<PairedBlock, List<String>> side) {
    return blocks.stream()
        .map(side)
        .flatMap(List::stream)
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** Looks for them one by one. */
  private static final class Search {
    private final Graph original;
    private final Graph pruned;
    private final RoutedOutputs outputs;
    private final Map<String, Gone> before;
    private final Optional<Map<String, Gone>> gone;
    private final List<String> missing = new ArrayList<>();

    Search(
        Graph original, Graph pruned, Map<String, Gone> before, Optional<Map<String, Gone>> gone) {
      this.original = original;
      this.pruned = pruned;
      this.outputs = new RoutedOutputs(original, pruned);
      this.before = before;
      this.gone = gone;
    }

    PairedBlocks of(List<MoeBlock> blocks) {
      List<PairedBlock> pairs = new ArrayList<>();
      for (MoeBlock block : blocks) {
        Optional<String> now =
            Optional.of(block.output())
                .filter(output -> original.producer(output).isPresent())
                .flatMap(outputs::of);
        if (now.isPresent()) {
          pairs.add(counted(new PairedBlock(block, now.get(), goneFrom(block))));
        } else {
          missing.add("block '%s' is not found in the pruned model".formatted(block.name()));
        }
      }
      if (gone.isEmpty() && !blocks.isEmpty()) {
        missing.add(
            "the pruned model does not say which experts went (metadata 'expert_substitution'): no"
                + " calls are counted");
      }
      gone.ifPresent(targets -> checkKnown(targets, blocks));
      return new PairedBlocks(pairs, missing);
    }

    /** Those that the original has. */
    private Optional<Gone> goneFrom(MoeBlock block) {
      return gone.map(
          targets ->
              targets
                  .getOrDefault(block.name(), Gone.NONE)
                  .since(before.getOrDefault(block.name(), Gone.NONE)));
    }

    /** Without counts where the values that say whom tokens choose are not at hand. */
    private PairedBlock counted(PairedBlock pair) {
      Graph chooses = pair.isCut() ? original : pruned;
      boolean areThere =
          pair.choice().stream()
              .allMatch(value -> chooses.producer(value).isPresent() || chooses.isOutput(value));
      if (pair.gone().isEmpty() || areThere) {
        return pair;
      }
      missing.add(
          "block '%s': whom tokens choose is not found, calls are not counted"
              .formatted(pair.block().name()));
      return new PairedBlock(pair.block(), pair.prunedOutput(), Optional.empty());
    }

    private void checkKnown(Map<String, Gone> targets, List<MoeBlock> blocks) {
      List<String> known = blocks.stream().map(MoeBlock::name).toList();
      targets.keySet().stream()
          .filter(name -> !known.contains(name))
          .forEach(
              name ->
                  missing.add(
                      "experts went from block '%s', which is not found in the original"
                          .formatted(name)));
    }
  }
}
