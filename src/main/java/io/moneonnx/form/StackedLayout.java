package io.moneonnx.form;

import io.moneonnx.form.ExpertAxis.Edge;
import io.moneonnx.form.ExpertAxis.Place;
import io.moneonnx.graph.Equation;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Atoms;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.FfnFinder;
import io.moneonnx.moe.Layout;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.Rows;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Where the experts of a dense block are that lie along one axis of its values. Removing experts
 * cuts that axis wherever it begins; atoms take the place of experts along it.
 *
 * @param raw the experts' own outputs
 * @param output the sum over the experts
 */
record StackedLayout(Graph graph, Routing routing, ExpertAxis axis, Raw raw, String output)
    implements Layout {
  /** The experts' own outputs. */
  sealed interface Raw {
    /** A value of the graph that has them all. */
    record Visible(String value, Place place, int rank) implements Raw {}

    /** Inside a product, from which they can be had without the routing weights. */
    record Inside(Equation equation, List<String> operands) implements Raw {}
  }

  @Override
  public Rows rows(Ops ops) {
    if (raw instanceof Raw.Visible visible) {
      return new Rows.Stacked(visible.value(), visible.place().axis(), visible.rank());
    }
    Raw.Inside inside = (Raw.Inside) raw;
    Node sum = graph.producer(output).orElseThrow();
    List<String> operands =
        inside.operands().stream()
            .map(operand -> ops.edit().input(sum, sum.inputs().indexOf(operand)))
            .toList();
    String all = ops.einsum(inside.equation(), operands);
    return new Rows.Recomputed(Rows.Stacked.chosen(ops, routing, all));
  }

  @Override
  public Optional<Rows> activations(Ops ops, List<String> values) {
    return values.size() == routing.experts()
        ? Optional.of(new Rows.Dense(values))
        : stacked(ops, values.get(0));
  }

  private Optional<Rows> stacked(Ops ops, String value) {
    OptionalInt rank = ops.edit().rank(value);
    return rank.isEmpty()
        ? Optional.empty()
        : Optional.ofNullable(axis.places().get(value))
            .map(place -> new Rows.Stacked(value, place.axis(), rank.getAsInt()));
  }

  /** What the experts compute: of each, or of all at once; empty where it is opaque. */
  List<Ffn> ffn() {
    FfnFinder finder = new FfnFinder(graph);
    List<Ffn> separate =
        axis.stacks().stream().flatMap(stack -> finder.each(stack.inputs()).stream()).toList();
    if (!separate.isEmpty()) {
      return separate;
    }
    return raw instanceof Raw.Inside inside
        ? finder.of(inside.equation(), inside.operands(), output).stream().toList()
        : finder.each(List.of(((Raw.Visible) raw).value()));
  }

  @Override
  public void remove(Ops ops, Set<Integer> pruned) {
    List<Integer> kept = routing.without(pruned);
    if (kept.isEmpty()) {
      Node sum = graph.producer(output).orElseThrow();
      String[] alike = sum.is("MatMul") ? sum.inputs().toArray(String[]::new) : new String[0];
      ops.edit().redirect(output, routing.nothing(ops, output, alike));
      return;
    }
    axis.stacks()
        .forEach(stack -> ops.edit().setInputs(stack, kept.stream().map(stack::input).toList()));
    compute(ops, kept, edge -> kept(ops, edge, kept));
  }

  @Override
  public Optional<String> indivisible(Optional<String> bias) {
    Set<String> ofEach =
        axis.constants().keySet().stream().map(Edge::value).collect(Collectors.toSet());
    return axis.stacks().isEmpty()
        ? bias.filter(value -> !ofEach.contains(value)).map(Atoms::sharedBias)
        : Optional.of("its experts are computed apart");
  }

  @Override
  public void split(Ops ops, Atoms atoms, Optional<String> bias) {
    List<Integer> owners = atoms.owners();
    compute(
        ops,
        owners,
        edge -> {
          if (Atoms.areIn(graph, ops, edge.value())) {
            return ops.edit().input(edge.node(), edge.index());
          }
          String perAtom = kept(ops, edge, owners);
          int rank = graph.constant(edge.value()).orElseThrow().rank();
          return bias.filter(edge.value()::equals).isPresent()
              ? atoms.once(ops, perAtom, axis.constants().get(edge), rank)
              : perAtom;
        });
  }

  /** Lets these experts be computed, of which one may stand several times. */
  private void compute(Ops ops, List<Integer> experts, Function<Edge, String> constants) {
    axis.constants().keySet().forEach(edge -> set(ops, edge, constants.apply(edge)));
    axis.sizes()
        .forEach(
            (edge, size) -> {
              String now = ops.edit().input(edge.node(), edge.index());
              long left = size.perExpert() * experts.size();
              set(ops, edge, size.shape().now(ops, now).with(ops, size.axis(), left));
            });
    Map<String, String> columns = new HashMap<>();
    String ids = ops.vector(experts.stream().mapToLong(Integer::longValue).toArray());
    axis.matrices()
        .forEach(
            (edge, place) ->
                set(
                    ops,
                    edge,
                    columns.computeIfAbsent(
                        edge.value(), matrix -> ops.gather(matrix, ids, place.axis()))));
  }

  private String kept(Ops ops, Edge edge, List<Integer> experts) {
    Tensor all = graph.constant(edge.value()).orElseThrow();
    return ops.kept(edge.value(), all, axis.constants().get(edge), experts);
  }

  private static void set(Ops ops, Edge edge, String value) {
    ops.edit().setInput(edge.node(), edge.index(), value);
  }
}
