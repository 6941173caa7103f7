package io.moneonnx.rewrite;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Graph;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.NeuronCut;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which experts of a block lose neurons. One that keeps all of them stays as it is, and all others
 * do.
 */
public record Narrowing(SortedMap<Integer, NarrowExpert> narrow) implements Change {
  public Narrowing {
    narrow = new TreeMap<>(narrow);
  }

  @Override
  public List<Integer> experts() {
    return List.copyOf(narrow.keySet());
  }

  @Override
  public String done() {
    return "narrowed";
  }

  /** The neurons to be cut; throws {@link BadInputException} where they cannot be. */
  public NeuronCut neurons(Graph graph, MoeBlock block) {
    NeuronCut cut = NeuronCut.of(graph, block);
    cut.objection(narrow)
        .ifPresent(
            reason -> {
              throw new BadInputException(
                  "block '%s': its experts cannot be narrowed: %s".formatted(block.name(), reason));
            });
    return cut;
  }
}
