package io.moneonnx.moe;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.ValueRanks;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Cuts neurons out of the experts of a block whose weights are constants of their own. Gate and up,
 * with their biases, lose the channels of these neurons, bytes moved; a re-fitted matrix takes the
 * place of the down projection; its bias stays:
 *
 * <pre>{@code
 * act (x gate [hidden, inner]) * (x up [hidden, inner]) down [inner, hidden]
 *     =>  act (x gate [:, kept]) * (x up [:, kept]) down' [kept, hidden]
 * }</pre>
 *
 * Each expert has its own width; one that keeps all its neurons stays as it is.
 */
public final class NeuronCut {
  private final String block;
  private final List<ExpertNeurons> experts;

  private NeuronCut(String block, List<ExpertNeurons> experts) {
    this.block = block;
    this.experts = experts;
  }

  /** The neurons of a block in this graph; there may be an {@link #objection} to cutting them. */
  public static NeuronCut of(Graph graph, MoeBlock block) {
    List<Ffn> found = block.ffn();
    ValueRanks ranks = new ValueRanks(graph);
    return new NeuronCut(
        block.name(),
        found.size() == block.experts()
            ? found.stream().map(ffn -> ExpertNeurons.of(graph, ranks, ffn)).toList()
            : List.of());
  }

  /** Why the experts cannot be given these neurons; empty if they can. */
  public Optional<String> objection(Map<Integer, NarrowExpert> narrow) {
    return experts.isEmpty()
        ? Optional.of("its experts have no weights of their own that can be read one by one")
        : narrow.entrySet().stream()
            .flatMap(expert -> objection(expert.getKey(), expert.getValue()).stream())
            .findFirst();
  }

  private Optional<String> objection(int id, NarrowExpert narrow) {
    return id < 0 || id >= experts.size()
        ? Optional.of("it has no expert %d of %d".formatted(id, experts.size()))
        : experts.get(id).objection(narrow).map(reason -> "expert %d: %s".formatted(id, reason));
  }

  /**
   * Cuts the neurons out that these experts do not keep.
   *
   * @throws BadInputException if a re-fitted number is not finite in the type of the model's weight
   */
  public void apply(Ops ops, Map<Integer, NarrowExpert> narrow) {
    narrow.forEach(
        (id, kept) ->
            experts.get(id).apply(ops, kept, "block '%s': expert %d".formatted(block, id)));
  }

  /** True where these experts keep all their neurons. */
  public boolean isWhole(Map<Integer, NarrowExpert> narrow) {
    return narrow.entrySet().stream()
        .allMatch(expert -> experts.get(expert.getKey()).isWhole(expert.getValue()));
  }
}
