package io.moneonnx.form;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.passes.Segment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the runs of sorted rows that belong to one expert each: from the sum of the counts before
 * it to that sum and its own.
 *
 * <pre>{@code
 * ends      = CumSum (counts [experts])
 * segment_e = Slice (rows, ends [e - 1], ends [e])          or
 * segments  = Split <axis = 0> (rows, counts)
 * }</pre>
 */
final class ExpertSegments {
  private static final Set<String> RESHAPING =
      Set.of("Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze");

  private final Graph graph;
  private final List<Segment> slices;
  private final Map<String, Optional<Element>> bounds = new HashMap<>();

  ExpertSegments(Graph graph) {
    this.graph = graph;
    this.slices = Segment.findAll(graph);
  }

  /** One element of a vector that the graph computes. */
  private record Element(String vector, long index) {}

  /**
   * The segments by their expert, for each value that is cut into them, in graph order.
   *
   * @param counts how many rows each expert has, {@code [experts]}
   */
  Map<String, Map<Integer, String>> of(String counts, int experts) {
    Map<String, Map<Integer, String>> found = new LinkedHashMap<>();
    for (Segment slice : slices) {
      Optional<Element> end = bounds.computeIfAbsent(slice.end(), this::element);
      Optional<Element> start = bounds.computeIfAbsent(slice.start(), this::element);
      if (end.filter(bound -> isSumOf(bound.vector(), counts)).isPresent()
          && isBefore(slice.start(), start, end.get())) {
        found
            .computeIfAbsent(slice.rows(), rows -> new HashMap<>())
            .put((int) end.get().index(), slice.segment());
      }
    }
    for (Node node : graph.nodes()) {
      if (node.is("Split")
          && node.intAttribute("axis", 0) == 0
          && isSizes(node.input(1), counts, experts)) {
        Map<Integer, String> segments = new HashMap<>();
        node.outputs().forEach(output -> segments.put(segments.size(), output));
        found.put(node.input(0), segments);
      }
    }
    return found;
  }

  private boolean isBefore(String start, Optional<Element> before, Element end) {
    return end.index() == 0
        ? graph.isNumber(start, 0)
        : before.equals(Optional.of(new Element(end.vector(), end.index() - 1)));
  }

  private boolean isSumOf(String ends, String counts) {
    return graph
        .producer(source(ends), "CumSum")
        .filter(sum -> sum.intAttribute("exclusive", 0) == 0)
        .filter(sum -> sum.intAttribute("reverse", 0) == 0)
        .filter(sum -> source(sum.input(0)).equals(counts))
        .isPresent();
  }

  /** True for the counts themselves, whole or put together again from each of them in turn. */
  private boolean isSizes(String sizes, String counts, int experts) {
    String source = source(sizes);
    if (source.equals(counts)) {
      return true;
    }
    List<Element> parts = new ArrayList<>();
    graph
        .producer(source, "Concat")
        .ifPresent(concat -> concat.inputs().forEach(part -> element(part).ifPresent(parts::add)));
    for (int expert = 0; expert < parts.size(); expert++) {
      Element part = parts.get(expert);
      if (part.index() != expert || !source(part.vector()).equals(counts)) {
        return false;
      }
    }
    return parts.size() == experts;
  }

  /** Above operators that keep all elements and their order. */
  private String source(String value) {
    String now = value;
    Optional<Node> producer = graph.producer(now);
    while (producer.filter(this::isReshaping).isPresent()) {
      now = producer.get().input(0);
      producer = graph.producer(now);
    }
    return now;
  }

  private boolean isReshaping(Node node) {
    return node.domain().isEmpty() && RESHAPING.contains(node.opType());
  }

  /** The element that {@code value}, which has no other, was cut out as; the first cut counts. */
  private Optional<Element> element(String value) {
    Optional<Element> found = Optional.empty();
    String now = source(value);
    Optional<Long> index = graph.producer(now).flatMap(this::index);
    while (index.isPresent() && found.filter(cut -> cut.index() != 0).isEmpty()) {
      now = source(graph.producer(now).orElseThrow().input(0));
      found = Optional.of(new Element(now, index.get()));
      index = graph.producer(now).flatMap(this::index);
    }
    return index.isPresent() ? Optional.empty() : found;
  }

  /** Which element of its first input the node takes, if it takes one. */
  private Optional<Long> index(Node node) {
    Optional<long[]> first = graph.integers(node.input(1)).filter(found -> found.length == 1);
    if (node.is("Gather") && node.intAttribute("axis", 0) == 0) {
      return first.map(found -> found[0]);
    } else if (node.is("Slice") && (node.input(4).isEmpty() || graph.isNumber(node.input(4), 1))) {
      return first.map(start -> start[0]).filter(start -> graph.isNumber(node.input(2), start + 1));
    }
    return Optional.empty();
  }
}
