package io.moneonnx.graph;

import static java.util.stream.Collectors.toSet;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What slots compute, in pieces that each read the row of one expert. A piece has a quarter of the
 * slots that an expert has on average, within limits; the last piece of an expert is filled up with
 * the first slot, and what that makes is dropped.
 *
 * @param most slots of a piece
 */
record SlotPiece(Ops ops, Graph graph, SlotRegion region, int most) {
  private static final int LEAST = 16;
  private static final int PIECES = 4;

  String inPieces() {
    String ids = ops.reshape(ops.mod(region.ids(), ops.vector(region.rows())), -1); // [slots]
    String slots = ops.shape(ids);
    String experts = ops.unsqueeze(ops.range(ops.vector(region.rows())), 1);
    String own = ops.equal(ops.unsqueeze(ids, 0), experts); // [experts, slots]
    String hits = ops.hits(own);
    String expert = ops.reshape(ops.gather(hits, ops.vector(0)), -1); // [slots], in order
    String slot = ops.reshape(ops.gather(hits, ops.vector(1)), -1);
    String counts = ops.reduceSum(ops.cast(own, ElementType.INT64), false, 1);

    String size = size(slots);
    String pieces = ops.div(ops.add(counts, ops.sub(size, ops.vector(1))), size); // of each
    String lastPiece = ops.cumSum(pieces);
    String before = ops.sub(ops.cumSum(counts), counts);
    String inExpert = ops.sub(ops.range(slots), ops.gather(before, expert));
    String firstPlace = ops.mul(ops.sub(lastPiece, pieces), size);
    String place = ops.add(ops.gather(firstPlace, expert), inExpert); // [slots], in order
    String all = ops.gather(lastPiece, ops.vector(region.rows() - 1)); // [1]

    String noSlot = ops.expand(ops.vector(0), ops.mul(all, size));
    String table = // [pieces, size]
        ops.reshape(
            ops.scatterRows(noSlot, place, slot), ops.concat(0, List.of(ops.vector(-1), size)));
    String isLater = ops.greater(ops.unsqueeze(lastPiece, 1), ops.unsqueeze(ops.range(all), 0));
    String later = ops.reduceSum(ops.cast(isLater, ElementType.INT64), false, 0);
    String expertOf = ops.sub(ops.vector(region.rows()), later); // [pieces]

    String made =
        ops.rounds(
            all,
            round -> piece(ops.gather(expertOf, round), ops.reshape(ops.gather(table, round), -1)));
    String rest = ops.slice(ops.shape(made), 0, 2, Long.MAX_VALUE);
    String inPlaces = ops.reshape(made, ops.concat(0, List.of(ops.vector(-1), rest)));
    String back = ops.scatterRows(ops.expand(ops.vector(0), slots), slot, place);
    return ops.gather(inPlaces, back);
  }

  private String size(String slots) {
    String part = ops.div(slots, ops.vector(region.rows() * PIECES));
    return ops.min(ops.max(part, ops.vector(LEAST)), ops.vector(most));
  }

  /** The same in runs of more slots than these; others are computed as they were. */
  String beyond(long slots) {
    String number = ops.shape(ops.reshape(region.ids(), -1));
    return ops.when(ops.greater(number, ops.vector(slots)), this::inPieces, this::asBefore);
  }

  private String asBefore() {
    Map<String, String> now = new HashMap<>();
    region.nodes().forEach(node -> apply(node, now));
    return now.get(region.output());
  }

  private void apply(Node node, Map<String, String> now) {
    List<String> made = ops.applyAll(node, mapped(node, now));
    for (int i = 0; i < made.size(); i++) {
      now.put(node.outputs().get(i), made.get(i));
    }
  }

  /** What these slots compute, all from the rows of one expert. */
  private String piece(String expert, String slots) {
    Map<String, String> now = new HashMap<>();
    region.given().forEach(value -> now.put(value, ops.gather(value, slots)));
    for (Node node : region.nodes()) {
      if (region.gathers().contains(node)) {
        now.put(node.output(), ops.gather(node.input(0), expert));
      } else if (node.is("MatMul")) {
        now.put(node.output(), product(node, now));
      } else {
        apply(node, now);
      }
    }
    return now.get(region.output());
  }

  private static List<String> mapped(Node node, Map<String, String> now) {
    return node.inputs().stream().map(value -> now.getOrDefault(value, value)).toList();
  }

  /** Products of one matrix with many columns or rows are one product of matrices. */
  private String product(Node node, Map<String, String> now) {
    String a = now.getOrDefault(node.input(0), node.input(0));
    String b = now.getOrDefault(node.input(1), node.input(1));
    boolean isBank = isOfBank(node.input(0));
    if (isBank && isUnsqueezed(node.input(1), 2, -1)) {
      return ops.unsqueeze(ops.matMulTurned(ops.squeeze(b, 2), ops.squeeze(a, 0)), 2);
    } else if (!isBank && isUnsqueezed(node.input(0), 1, -2)) {
      return ops.unsqueeze(ops.matMul(ops.squeeze(a, 1), ops.squeeze(b, 0)), 1);
    }
    return ops.matMul(a, b);
  }

  private boolean isOfBank(String value) {
    Set<String> gathered = region.gathers().stream().map(Node::output).collect(toSet());
    return !Reach.backward(
            graph, List.of(value), v -> gathered.contains(v) || region.given().contains(v))
        .stream()
        .anyMatch(region.given()::contains);
  }

  private boolean isUnsqueezed(String value, long axis, long same) {
    return graph
        .producer(value, "Unsqueeze")
        .flatMap(node -> graph.integers(node.input(1)))
        .filter(axes -> axes.length == 1 && (axes[0] == axis || axes[0] == same))
        .filter(axes -> ops.edit().rank(value).equals(OptionalInt.of(3)))
        .isPresent();
  }
}
