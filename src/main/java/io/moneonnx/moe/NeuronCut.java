package io.moneonnx.moe;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.ValueRanks;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Cuts neurons out of the experts of a block. Gate and up, with their biases, lose the channels of
 * these neurons, bytes moved; a re-fitted matrix takes the place of the down projection; its bias
 * stays:
 *
 * <pre>{@code
 * act (x gate [hidden, inner]) * (x up [hidden, inner]) down [inner, hidden]
 *     =>  act (x gate [:, kept]) * (x up [:, kept]) down' [kept, hidden]
 * }</pre>
 *
 * Experts whose neurons are computed apart have a width each; one that keeps all its neurons
 * changes in its down projection only. Where the neurons of all experts are in one value, because
 * their weights are stacked {@code [experts, ...]} or their rows are joined between the
 * projections, they share one width, or {@link Atoms} take their place.
 */
public final class NeuronCut {
  private final MoeBlock block;
  private final List<ExpertNeurons> groups;

  private NeuronCut(MoeBlock block, List<ExpertNeurons> groups) {
    this.block = block;
    this.groups = groups;
  }

  /** The neurons of a block in this graph; there may be an {@link #objection} to cutting them. */
  public static NeuronCut of(Graph graph, MoeBlock block) {
    List<Ffn> found = block.ffn();
    ExpertNeurons.Finder finder =
        new ExpertNeurons.Finder(
            graph, new ValueRanks(graph), block.claim().layout(), block.experts());
    if (block.owners().size() < block.experts()) {
      return new NeuronCut(block, List.of());
    } else if (found.size() == block.experts() && !isJoined(graph, found)) {
      return new NeuronCut(
          block,
          IntStream.range(0, found.size()).mapToObj(e -> finder.of(e, found.get(e))).toList());
    }
    return new NeuronCut(block, found.isEmpty() ? List.of() : List.of(finder.ofAll(found)));
  }

  /** True where what one expert computes leads to what all others put out. */
  private static boolean isJoined(Graph graph, List<Ffn> experts) {
    List<String> last = experts.stream().map(ffn -> ffn.down().product()).toList();
    Set<String> behind =
        Reach.forward(graph, List.of(experts.get(0).up().product()), last::contains);
    return last.size() > 1 && behind.containsAll(last);
  }

  /** True where the neurons of all experts are in one value. */
  public boolean isShared() {
    return groups.size() == 1 && block.experts() > 1;
  }

  /** Why experts cannot have different widths; empty if they can. */
  public Optional<String> indivisible() {
    return groups.stream().flatMap(group -> group.indivisible().stream()).findFirst();
  }

  /**
   * The down projection of an expert, {@code [hidden, inner]}, where those of all experts are one
   * constant; call it where there is no {@link #objection}.
   */
  public Optional<float[]> stackedDown(int expert) {
    return groups.stream()
        .filter(group -> group.experts().contains(expert))
        .findFirst()
        .flatMap(group -> group.stackedDown(expert));
  }

  /**
   * How many neurons go together, since the down projection is quantised: it keeps the columns of
   * the others as they are. Empty where it is a matrix of numbers, to be re-fitted.
   */
  public OptionalInt group() {
    return groups.stream().map(ExpertNeurons::group).findFirst().orElse(OptionalInt.empty());
  }

  /** Why the experts cannot be given these neurons; empty if they can. */
  public Optional<String> objection(Map<Integer, NarrowExpert> narrow) {
    return objection(narrow, Set.of());
  }

  /**
   * Why the experts cannot be given these neurons, where others are removed from the block; empty
   * if they can.
   *
   * @param removed experts that {@link MoeBlock#remove} is about, behind this cut
   */
  public Optional<String> objection(Map<Integer, NarrowExpert> narrow, Set<Integer> removed) {
    Optional<Integer> unknown =
        narrow.keySet().stream().filter(id -> id < 0 || id >= block.experts()).findFirst();
    if (!block.weightless().isEmpty()) {
      return Optional.of("no weights belong to its experts %s".formatted(block.weightless()));
    } else if (groups.isEmpty()) {
      return Optional.of("what its experts compute is not known");
    } else if (unknown.isPresent()) {
      return Optional.of("it has no expert %d of %d".formatted(unknown.get(), block.experts()));
    }
    return groups.stream()
        .flatMap(group -> group.objection(of(group, narrow), removed).stream())
        .findFirst();
  }

  private static SortedMap<Integer, NarrowExpert> of(
      ExpertNeurons group, Map<Integer, NarrowExpert> narrow) {
    SortedMap<Integer, NarrowExpert> own = new TreeMap<>(narrow);
    own.keySet().retainAll(group.experts());
    return own;
  }

  /**
   * Cuts the neurons out that these experts do not keep, and takes the others out.
   *
   * @param removed experts of which nothing is left
   * @throws BadInputException if a re-fitted number is not finite in the type of the model's weight
   */
  public void apply(Ops ops, Map<Integer, NarrowExpert> narrow, Set<Integer> removed) {
    groups.forEach(group -> group.apply(ops, of(group, narrow), removed, block.name()));
    if (!removed.isEmpty()
        && groups.stream().noneMatch(group -> group.isSplit(of(group, narrow), removed))) {
      block.remove(ops, removed);
    }
  }
}
