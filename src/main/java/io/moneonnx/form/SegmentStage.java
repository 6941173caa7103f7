package io.moneonnx.form;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Reach;
import io.moneonnx.moe.ExpertGrouping;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Sorted rows cut into one segment for each expert, what each expert computes of its own, and these
 * pieces joined again in the order of the experts.
 *
 * @param rows the value that is cut
 * @param segments for each expert its rows
 * @param regions for each expert the values that its piece is computed from, constants included
 * @param joined the {@code Concat} of the pieces
 */
record SegmentStage(String rows, List<String> segments, List<Set<String>> regions, Node joined) {
  /** What was found, or why it is no such stage. */
  record Found(Optional<SegmentStage> stage, String objection) {}

  static Found of(Graph graph, String rows, Map<Integer, String> segments, int experts) {
    String incomplete = ExpertGrouping.incomplete(segments, experts);
    if (!incomplete.isEmpty()) {
      return refused("'%s' is cut into %s".formatted(rows, incomplete));
    }
    List<String> inOrder = ExpertGrouping.inOrder(segments, experts);
    Set<String> behind = Reach.forward(graph, inOrder, value -> isJoined(graph, value, experts));
    Optional<Node> joined =
        graph.nodes().stream()
            .filter(node -> behind.contains(node.output()))
            .filter(node -> isJoined(graph, node.output(), experts))
            .findFirst();
    return joined.isEmpty()
        ? refused(
            "the pieces that the experts make of '%s' are not joined by one Concat of %d"
                .formatted(rows, experts))
        : pieces(graph, rows, inOrder, joined.get());
  }

  private static Found refused(String objection) {
    return new Found(Optional.empty(), objection);
  }

  private static boolean isJoined(Graph graph, String value, int experts) {
    return graph
        .producer(value, "Concat")
        .filter(node -> node.intAttribute("axis", 0) == 0 || node.intAttribute("axis", 0) == -2)
        .filter(node -> node.inputs().size() == experts)
        .isPresent();
  }

  private static Found pieces(Graph graph, String rows, List<String> segments, Node joined) {
    List<Set<String>> regions = new ArrayList<>();
    for (int expert = 0; expert < segments.size(); expert++) {
      String own = segments.get(expert);
      RowRegion region = RowRegion.between(graph, List.of(own), joined.input(expert));
      if (region.isEmpty()) {
        return refused(
            "piece %d of '%s' is not computed from the rows of expert %d; expected the order of ids"
                .formatted(expert, joined.label(), expert));
      }
      Optional<String> foreign = region.foreign();
      if (foreign.isPresent()) {
        return refused(
            "expert %d reads '%s' beside its own rows and constants"
                .formatted(expert, foreign.get()));
      }
      regions.add(Reach.backward(graph, List.of(joined.input(expert)), own::equals));
    }
    return new Found(
        Optional.of(new SegmentStage(rows, segments, List.copyOf(regions), joined)), "");
  }

  /** The nodes that cut the rows, each once. */
  List<Node> cuts(Graph graph) {
    return segments.stream()
        .map(segment -> graph.producer(segment).orElseThrow())
        .distinct()
        .toList();
  }

  /** Those of them that cut all segments at once. */
  List<Node> splits(Graph graph) {
    return cuts(graph).stream().filter(node -> node.is("Split")).toList();
  }
}
