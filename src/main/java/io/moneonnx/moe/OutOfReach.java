package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Wire;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Checks that a block that was found in a flat graph can be taken apart in the graph as it was
 * written: that no value it needs or changes lies in a body that stays.
 */
final class OutOfReach {
  private final Graph original;
  private final Claim claim;

  private OutOfReach(Graph original, Claim claim) {
    this.original = original;
    this.claim = claim;
  }

  /** Why experts cannot be taken out; empty if they can, tried for all, even and odd ids. */
  static Optional<String> reason(Graph original, Claim claim) {
    OutOfReach block = new OutOfReach(original, claim);
    Stream<Predicate<Integer>> choices = Stream.of(e -> true, e -> e % 2 == 0, e -> e % 2 == 1);
    return block
        .border()
        .or(() -> choices.flatMap(some -> block.removal(some).stream()).findFirst())
        .map("'%s' lies in a branch or a loop that cannot be left out alone"::formatted);
  }

  private Optional<String> border() {
    Set<String> made = original.made();
    return Stream.of(claim.routing().choice().value(), claim.coefficients().value(), claim.output())
        .filter(value -> !made.contains(value))
        .findFirst();
  }

  private Optional<String> removal(Predicate<Integer> some) {
    List<Integer> ids = IntStream.range(0, claim.routing().experts()).boxed().toList();
    GraphEdit edit = new GraphEdit(new Model(original, 0, Map.of(), Map.of(), Wire.NONE));
    claim
        .layout()
        .remove(new Ops(edit, "mone"), ids.stream().filter(some).collect(Collectors.toSet()));
    return edit.outOfReach();
  }
}
