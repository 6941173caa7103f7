package io.moneonnx.canonical;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Tells whether an {@code If} of a graph does no more than leave out work that would change
 * nothing: one branch passes outer values on, and where it is taken the other one would come to the
 * same values.
 *
 * <pre>{@code
 * y = If <then_branch = { f = MatMul (rows, w)  t = ScatterND (x, at, f) },
 *         else_branch = { t = Identity (x) }> (any)
 * }</pre>
 *
 * is {@code y = ScatterND (x, at, f)} if {@code at} has no elements wherever {@code any} is false.
 */
final class Guard {
  private final Graph graph;
  private final Map<String, Integer> positions = new HashMap<>();

  Guard(Graph graph) {
    this.graph = graph;
    for (int i = 0; i < graph.nodes().size(); i++) {
      int position = i;
      graph.nodes().get(i).outputs().forEach(output -> positions.put(output, position));
    }
  }

  /** The branch that does the work of an {@code If}, if it may as well be taken always. */
  Optional<Graph> work(Node node) {
    if (!node.is("If")
        || !(node.attributes().get("then_branch") instanceof Attribute.OfGraph then)
        || !(node.attributes().get("else_branch") instanceof Attribute.OfGraph otherwise)) {
      return Optional.empty();
    } else if (passesOn(otherwise.value())) {
      return Optional.of(then.value())
          .filter(work -> changesNothing(node, work, otherwise.value(), false));
    } else if (passesOn(then.value())) {
      return Optional.of(otherwise.value())
          .filter(work -> changesNothing(node, work, then.value(), true));
    }
    return Optional.empty();
  }

  private static boolean passesOn(Graph branch) {
    return branch.initializers().isEmpty()
        && branch.nodes().stream().allMatch(node -> node.is("Identity") || node.is("Constant"));
  }

  /** The outer value that a branch puts out, if it puts out none of its own. */
  private static String passedOn(Graph branch, String output) {
    return branch
        .producer(output, "Identity")
        .map(identity -> passedOn(branch, identity.input(0)))
        .orElse(output);
  }

  private boolean changesNothing(Node node, Graph work, Graph idle, boolean whenIdle) {
    ConditionFacts absence = new ConditionFacts(graph, node.input(0), whenIdle);
    ZeroPropagation known = new ZeroPropagation(graph, absence);
    int at = positions.get(node.output());
    int from =
        Stream.concat(absence.empty().stream(), absence.zero().stream())
            .mapToInt(value -> positions.getOrDefault(value, at))
            .min()
            .orElse(at);
    graph.nodes().subList(from, at).forEach(known::follow);
    known.enter(work);
    for (int i = 0; i < node.outputs().size(); i++) {
      String worked = work.outputs().get(i).name();
      String passed = passedOn(idle, idle.outputs().get(i).name());
      if (idle.made().contains(passed) || !known.isSame(worked, passed)) {
        return false;
      }
    }
    return true;
  }
}
