package io.moneonnx.rewrite;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Graph;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.NeuronCut;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * What stands in for experts of a block while its router stays: novices for those that go, and
 * narrower experts for those that lose neurons.
 *
 * @param novices for each expert that goes its novice {@code [hidden]}
 * @param narrow for others what is left of them; one that keeps all its neurons may have another
 *     down projection
 */
public record Replacement(
    NavigableMap<Integer, float[]> novices, NavigableMap<Integer, NarrowExpert> narrow)
    implements Change {
  /** Every expert stays. */
  public static final Replacement NONE = byNovices(Map.of());

  public Replacement {
    novices = new TreeMap<>(novices);
    narrow = new TreeMap<>(narrow);
    if (narrow.keySet().stream().anyMatch(novices::containsKey)) {
      throw new IllegalArgumentException(
          "experts that both go and stay: %s and %s".formatted(novices.keySet(), narrow.keySet()));
    }
  }

  /** All others stay as they are. */
  public static Replacement byNovices(Map<Integer, float[]> novices) {
    return new Replacement(new TreeMap<>(novices), new TreeMap<>());
  }

  /** No expert goes. */
  public static Replacement byNarrow(Map<Integer, NarrowExpert> narrow) {
    return new Replacement(new TreeMap<>(), new TreeMap<>(narrow));
  }

  @Override
  public List<Integer> experts() {
    return List.copyOf(novices.keySet());
  }

  @Override
  public List<Integer> narrowed() {
    return List.copyOf(narrow.keySet());
  }

  /** True where every novice is zero. */
  boolean isByNothing() {
    return novices.values().stream()
        .allMatch(novice -> IntStream.range(0, novice.length).allMatch(i -> novice[i] == 0));
  }

  @Override
  public boolean isNothing() {
    return novices.isEmpty() && narrow.isEmpty();
  }

  @Override
  public String done() {
    return "replaced";
  }

  @Override
  public String summary() {
    String narrowed = narrow.size() + " narrowed";
    String replaced = Change.super.summary();
    return narrow.isEmpty() ? replaced : novices.isEmpty() ? narrowed : replaced + ", " + narrowed;
  }

  /** The neurons to be cut; throws {@link BadInputException} where they cannot be. */
  public NeuronCut neurons(Graph graph, MoeBlock block) {
    NeuronCut cut = NeuronCut.of(graph, block);
    cut.objection(narrow, novices.keySet())
        .ifPresent(
            reason -> {
              throw new BadInputException(
                  "block '%s': its experts cannot be narrowed: %s".formatted(block.name(), reason));
            });
    return cut;
  }
}
