package io.moneonnx.moe;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.ConstantShapes;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a block's router and experts compute, and from which constants, without names: blocks of two
 * graphs that are alike in it have the same experts under the same ids behind the same router.
 *
 * <p>Read against the dataflow, from the scores to the router's input, and from the output of each
 * expert to what does not depend on the experts' weights. How activations are laid out and in which
 * type they are does not count: that differs between a graph for prompts and one for single tokens.
 */
public final class BlockContents {
  /** Operators that lay activations out otherwise, or round them. */
  private static final Set<String> LAYING_OUT =
      Set.of("Cast", "Expand", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze");

  /** Types of sizes, axes and indices. */
  private static final Set<ElementType> COUNTING =
      Set.of(ElementType.INT64, ElementType.INT32, ElementType.BOOL);

  private final MoeBlock block;
  private final Graph graph;
  private final ConstantShapes constants;
  private final Map<String, Integer> seen = new HashMap<>();
  private final List<Step> steps = new ArrayList<>();

  private BlockContents(Graph graph, MoeBlock block) {
    this.graph = graph;
    this.block = block;
    this.constants = new ConstantShapes(graph);
  }

  /**
   * One step of the way.
   *
   * @param what an operator and which of its outputs, or a word for anything else
   * @param name of the value, for people
   */
  private record Step(
      String what, Map<String, Attribute> attributes, Optional<Tensor> constant, String name) {
    static Step of(String what, String name) {
      return new Step(what, Map.of(), Optional.empty(), name);
    }

    boolean isLike(Step other) {
      return what.equals(other.what)
          && attributes.equals(other.attributes)
          && constant.map(Tensor::type).equals(other.constant.map(Tensor::type))
          && constant.map(Tensor::dims).equals(other.constant.map(Tensor::dims));
    }

    boolean hasSameElements(Step other) {
      return constant.stream()
          .allMatch(tensor -> tensor.hasSameElements(other.constant.orElseThrow()));
    }
  }

  /**
   * Those of a block.
   *
   * @param model in its canonical spelling, in which the block was found
   */
  public static BlockContents of(Model model, MoeBlock block) {
    Graph graph = model.graph();
    Routing routing = block.routing();
    BlockContents contents = new BlockContents(graph, block);
    contents.add(
        routing.choice().scores(),
        Reach.forward(graph, Set.of(routing.router()), routing.choice().scores()::equals));
    Set<String> experts =
        new HashSet<>(Reach.forward(graph, block.weights(), block.output()::equals));
    experts.remove(routing.input());
    Ops ops = new Ops(new GraphEdit(model), "mone.contents");
    for (String raw : block.claim().layout().rows(ops).each()) {
      contents.add(raw, experts);
    }
    contents.add(block.output(), experts);
    return contents;
  }

  /**
   * Adds what makes a value.
   *
   * @param inner what is read further; other values are inputs of what is read
   */
  private void add(String root, Set<String> inner) {
    Deque<String> pending = new ArrayDeque<>(List.of(root));
    while (!pending.isEmpty()) {
      String value = pending.pop();
      Optional<Tensor> constant = graph.constant(value);
      Integer before = seen.get(value);
      if (constant.isPresent()) {
        steps.add(new Step("constant", Map.of(), constant, value));
      } else if (before != null) {
        steps.add(Step.of("value " + before, value));
      } else if (isLaidOut(value) || inner.contains(value)) {
        seen.put(value, seen.size());
        read(value, pending);
      } else {
        steps.add(Step.of("input", value));
      }
    }
  }

  private void read(String value, Deque<String> pending) {
    Node node = graph.producer(value).orElseThrow();
    boolean isLaidOut = isLaidOut(value);
    if (!isLaidOut && node.domain().isEmpty() && LAYING_OUT.contains(node.opType())) {
      pending.push(node.input(0));
      return;
    }
    String operator = node.domain() + "::" + node.opType() + "#" + node.outputs().indexOf(value);
    steps.add(new Step(operator, node.attributes(), Optional.empty(), value));
    for (int i = node.inputs().size() - 1; i >= 0; i--) {
      String input = node.input(i);
      if (isLaidOut || !isCount(input)) {
        pending.push(input);
      }
    }
  }

  /** True for what is made of constants by laying them out otherwise, a weight that is. */
  private boolean isLaidOut(String value) {
    return graph.constant(value).isEmpty() && constants.of(value).isPresent();
  }

  private boolean isCount(String value) {
    return !block.weights().contains(value)
        && graph.constant(value).map(Tensor::type).filter(COUNTING::contains).isPresent();
  }

  /** What tells another block's router and experts from these, in words; empty if nothing does. */
  public Optional<String> difference(BlockContents other) {
    if (!sizes().equals(other.sizes())) {
      return Optional.of("expected %s, found %s".formatted(sizes(), other.sizes()));
    }
    for (int i = 0; i < Math.min(steps.size(), other.steps.size()); i++) {
      if (!steps.get(i).isLike(other.steps.get(i))) {
        return Optional.of(
            "'%s' is not computed as '%s' is"
                .formatted(other.steps.get(i).name(), steps.get(i).name()));
      }
    }
    if (steps.size() != other.steps.size()) {
      return Optional.of("its experts compute something else");
    }
    for (int i = 0; i < steps.size(); i++) {
      if (!steps.get(i).hasSameElements(other.steps.get(i))) {
        return Optional.of(
            "'%s' has other elements than '%s'"
                .formatted(other.steps.get(i).name(), steps.get(i).name()));
      }
    }
    return Optional.empty();
  }

  private String sizes() {
    String weightless = block.weightless().isEmpty() ? "" : ", no weights of " + block.weightless();
    return "%d experts, top %d, hidden %d%s"
        .formatted(block.experts(), block.topK(), block.hidden(), weightless);
  }
}
