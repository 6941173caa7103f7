package io.moneonnx.canonical;

import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.UnknownFields;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A model in one spelling for things that exporters spell in several ways, so that patterns need
 * not. It computes the same, and has the same inputs and outputs.
 *
 * <p>Every node is brought to its canonical spelling by {@link Rules}, calls of functions by the
 * nodes that they stand for, and control flow that can be spared by what it controls ({@link
 * Unfolding}). Blocks are looked for, measured, proved and edited in this model; {@link #spelled}
 * writes an edit in the exporter's own spelling wherever it has not touched it.
 */
public final class Canonical {
  private final Model original;
  private final Model model;
  private final IdentityHashMap<Node, Integer> roots;
  private final List<Step> steps;
  private final int unfolded;
  private final Map<String, Initializer> constants;

  private Canonical(Model original) {
    this.original = original;
    this.roots = new IdentityHashMap<>();
    this.steps = new ArrayList<>();
    List<Node> nodes = original.graph().nodes();
    for (int i = 0; i < nodes.size(); i++) {
      roots.put(nodes.get(i), i);
    }
    Functions functions = new Functions(original);
    Graph graph = new Respelling(original.graph(), functions, roots, steps).canonical();
    this.unfolded = steps.size();
    Optional<Graph> next = Unfolding.of(graph, roots, steps);
    while (next.isPresent()) {
      graph = new Respelling(next.get(), functions, roots, steps).canonical();
      next = Unfolding.of(graph, roots, steps);
    }
    this.constants = new LinkedHashMap<>(graph.initializers());
    original.graph().nodes().stream()
        .flatMap(node -> node.outputs().stream())
        .forEach(constants::remove);
    this.model =
        DeadCode.removeOpsets(
            new Model(
                DeadCode.remove(graph),
                original.irVersion(),
                functions.opsets(),
                original.metadata(),
                List.of(),
                original.rest()));
  }

  /**
   * The canonical spelling of a model.
   *
   * @throws io.moneonnx.graph.BadInputException if its functions cannot be put where they are
   *     called
   */
  public static Canonical of(Model original) {
    return new Canonical(original);
  }

  /** The canonical spelling of a graph of nothing but ONNX's own operators, of any opset. */
  public static Canonical of(Graph graph) {
    return of(new Model(graph, 0, Map.of("", 0L), Map.of(), UnknownFields.NONE));
  }

  /** The model as its exporter spelled it. */
  public Model original() {
    return original;
  }

  /** The model in its canonical spelling. */
  public Model model() {
    return model;
  }

  public Graph graph() {
    return model.graph();
  }

  /** An edit of {@link #model} that gives no name which the original has for something else. */
  public GraphEdit edit() {
    return new GraphEdit(model, original.graph().names());
  }

  /**
   * What an edit of {@link #model} makes of the original: in the exporter's spelling and order
   * wherever the edit has not touched it.
   */
  public Model spelled(GraphEdit edit) {
    return new Spelling(this, edit).model();
  }

  /** All constants of the original, and all that were made of its nodes, used or not. */
  Map<String, Initializer> constants() {
    return constants;
  }

  /**
   * By value what makes it: in the original, or else where a node was brought to another spelling.
   */
  Map<String, Node> nodes() {
    Map<String, Node> nodes = new HashMap<>();
    for (Step step : steps) {
      step.after().forEach(node -> node.outputs().forEach(output -> nodes.put(output, node)));
    }
    for (Node node : original.graph().nodes()) {
      node.outputs().forEach(output -> nodes.put(output, node));
    }
    return nodes;
  }

  /** What was brought to another spelling, in order. */
  List<Step> steps() {
    return steps;
  }

  /** How many of the steps came before bodies were put in the place of nodes. */
  int unfolded() {
    return unfolded;
  }

  /** Where in the original a node of the canonical graph comes from. */
  int root(Node node) {
    return roots.get(node);
  }
}
