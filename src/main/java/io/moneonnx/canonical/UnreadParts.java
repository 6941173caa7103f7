package io.moneonnx.canonical;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Part;
import io.moneonnx.graph.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Indices of constants that nothing reads any more after an edit, where each reader cuts a part out
 * of the same axis.
 *
 * <pre>{@code
 * Gather (stack [experts, ...], 5)                  =>   Gather (kept [rows, ...], 2)
 * Slice (joined [rows, ...], [5], [9], [0])         =>   Slice (kept [fewer rows, ...], [2], [6], [0])
 * }</pre>
 *
 * @param before the graph as it was before the edit
 * @param edited the graph as it is now, which holds all constants
 * @param written the nodes that are written
 * @param constant adds a constant, called like this, and returns its name
 */
record UnreadParts(
    Graph before,
    Graph edited,
    Collection<Node> written,
    BiFunction<String, Tensor, String> constant) {
  /** The readers of constants that lose indices, and what is written in their place. */
  IdentityHashMap<Node, Node> dropped() {
    Map<String, List<Part>> cuts = new TreeMap<>();
    Map<String, Integer> reads = new HashMap<>();
    for (Node node : written) {
      node.reads().forEach(value -> reads.merge(value, 1, Integer::sum));
      Part.of(edited, node)
          .ifPresent(part -> cuts.computeIfAbsent(part.whole(), s -> new ArrayList<>()).add(part));
    }
    IdentityHashMap<Node, Node> changed = new IdentityHashMap<>();
    cuts.forEach(
        (whole, readers) -> {
          Tensor tensor = edited.constant(whole).orElseThrow();
          List<Integer> left = read(readers);
          int axis = readers.get(0).range().axis();
          if (reads.get(whole) == readers.size()
              && !left.isEmpty()
              && left.size() < readBefore(whole)
              && hasWholeBytes(tensor, axis)) {
            String kept = constant.apply(whole + "/kept", tensor.along(axis, left));
            Bounds bounds = new Bounds(kept);
            for (Part part : readers) {
              int from = left.indexOf((int) part.range().from());
              changed.put(part.node(), moved(part, kept, from, bounds));
            }
          }
        });
    return changed;
  }

  private static boolean hasWholeBytes(Tensor tensor, int axis) {
    long apart = Tensor.elements(tensor.dims().subList(axis + 1, tensor.rank()));
    return apart * tensor.type().bits() % 8 == 0;
  }

  /** The indices that are read, in order; none where parts are cut out of different axes. */
  private static List<Integer> read(List<Part> parts) {
    Set<Integer> axes = parts.stream().map(part -> part.range().axis()).collect(Collectors.toSet());
    return axes.size() != 1
        ? List.of()
        : parts.stream()
            .flatMapToInt(
                part -> IntStream.range((int) part.range().from(), (int) part.range().to()))
            .sorted()
            .distinct()
            .boxed()
            .toList();
  }

  /** How many indices were read in parts before; 0 where these were of different axes. */
  private int readBefore(String whole) {
    return read(before.consumers(whole).stream()
            .map(node -> Part.of(before, node))
            .flatMap(Optional::stream)
            .toList())
        .size();
  }

  /**
   * Constants in the shape of others, {@code [rows, ...]}; what was made once is not made again.
   */
  private final class Bounds {
    private final String hint;
    private final Map<List<Object>, String> made = new HashMap<>();

    Bounds(String stack) {
      this.hint = stack + "/row";
    }

    String like(String other, long value) {
      List<Long> dims = edited.constant(other).orElseThrow().dims();
      return made.computeIfAbsent(
          List.of(dims, value), key -> constant.apply(hint, Tensor.of(dims, value)));
    }
  }

  private static Node moved(Part part, String kept, long from, Bounds bounds) {
    Node node = part.node();
    List<String> inputs = new ArrayList<>(node.inputs());
    inputs.set(0, kept);
    inputs.set(1, bounds.like(node.input(1), from));
    if (node.is("Slice")) {
      inputs.set(2, bounds.like(node.input(2), from + part.range().size()));
    }
    return node.withInputs(inputs);
  }
}
