package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.profile.BlockStatistics;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A block's experts in the order in which they go: lowest score first, ties by the lower index.
 *
 * @param scores by expert, in the experts' own order
 */
public record Ranking(String block, List<Integer> order, List<Double> scores) {
  public Ranking {
    order = List.copyOf(order);
    scores = List.copyOf(scores);
  }

  public static Ranking of(BlockStatistics block, Criterion criterion) {
    double[] scores = criterion.score(block);
    for (int expert = 0; expert < scores.length; expert++) {
      if (Double.isNaN(scores[expert])) {
        throw new BadInputException(
            "block '%s': criterion %s gives expert %d no number"
                .formatted(block.name(), criterion, expert));
      }
    }
    List<Integer> order =
        IntStream.range(0, scores.length)
            .boxed()
            .sorted(Comparator.comparingDouble(expert -> scores[expert]))
            .toList();
    return new Ranking(
        block.name(), order, IntStream.range(0, scores.length).mapToObj(i -> scores[i]).toList());
  }

  public int experts() {
    return order.size();
  }
}
