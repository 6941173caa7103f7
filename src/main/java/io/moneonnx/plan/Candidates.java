package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.plan.criterion.Criterion;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.DoubleStream;

/**
 * The experts that may go.
 *
 * @param modelBytes bytes of the model's files
 */
record Candidates(long modelBytes, List<Block> blocks) {
  Candidates {
    blocks = List.copyOf(blocks);
  }

  /**
   * One block's.
   *
   * @param scores by id, of the router's outputs that no weights belong to as well
   * @param order those that may go, lowest score first, ties by the lower index
   * @param minKeep how many stay at least
   */
  record Block(Measurements.Block evidence, List<Double> scores, List<Integer> order, int minKeep) {
    Block {
      scores = List.copyOf(scores);
      order = List.copyOf(order);
    }

    String name() {
      return evidence.name();
    }

    /** How many experts own weights. */
    int experts() {
      return evidence.header().owners().size();
    }

    /** The score; 0 for an expert never chosen. */
    double worth(int expert) {
      return Math.max(0, scores.get(expert));
    }

    /** How many can go. */
    int room() {
      return Math.max(0, Math.min(order.size(), experts() - minKeep));
    }

    /**
     * The lowest.
     *
     * @throws BadInputException if so many cannot go; says how many can
     */
    List<Integer> lowest(int number) {
      if (number > room()) {
        throw new BadInputException(
            "block '%s': %d of its %d experts were to go, %d can: %s"
                .formatted(name(), number, experts(), room(), reason()));
      }
      return order.subList(0, number);
    }

    /** Why not all of them can go. */
    String reason() {
      int held = experts() - order.size();
      return "%s%d must stay at least"
          .formatted(held > 0 ? held + " are protected, " : "", minKeep);
    }
  }

  static Candidates of(Measurements evidence, PlanConstraints terms) {
    Map<String, Set<Integer>> held = terms.limits().held(evidence.blocks());
    List<Block> blocks = new ArrayList<>();
    for (Measurements.Block block : evidence.blocks()) {
      double[] scores = scores(block, terms.criterion());
      Set<Integer> kept = held.getOrDefault(block.name(), Set.of());
      List<Integer> order =
          block.header().owners().stream()
              .filter(expert -> !kept.contains(expert))
              .sorted(Comparator.comparingDouble(expert -> scores[expert]))
              .toList();
      blocks.add(
          new Block(
              block,
              DoubleStream.of(scores).boxed().toList(),
              order,
              terms.limits().minKeep(terms.router(), block.header())));
    }
    return new Candidates(evidence.modelBytes(), blocks);
  }

  private static double[] scores(Measurements.Block block, Criterion criterion) {
    double[] scores = criterion.scores(block.sums());
    for (int expert : block.header().owners()) {
      if (Double.isNaN(scores[expert])) {
        throw new BadInputException(
            "block '%s': criterion %s gives expert %d no number"
                .formatted(block.name(), criterion.name(), expert));
      }
    }
    return scores;
  }
}
