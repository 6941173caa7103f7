package io.moneonnx.verify;

import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Compares whole runs of two models that route alike up to rounding. Where a near-tied choice turns
 * over, all later positions of that sequence see other experts: only positions before it count.
 */
final class EndToEnd {
  private final List<MoeBlock> blocks;
  private final List<String> outputs;
  private final List<Verdict.Flip> flips = new ArrayList<>();
  private double worst;
  private long positions;
  private long leftOut;

  EndToEnd(List<MoeBlock> blocks, List<String> outputs) {
    this.blocks = blocks;
    this.outputs = outputs;
  }

  /** Takes one run of both; the values are the outputs and each block's indices and scores. */
  void add(Map<String, Tensor> expected, Map<String, Tensor> found) {
    List<Choices> choices = blocks.stream().map(b -> new Choices(b, expected, found)).toList();
    List<Long> shape = outputs.isEmpty() ? List.of() : expected.get(outputs.get(0)).dims();
    int tokens = choices.get(0).tokens();
    boolean perPosition = shape.size() > 2 && shape.get(0) * shape.get(1) == tokens;
    int length = perPosition ? shape.get(1).intValue() : tokens;
    boolean anyFlip = false;
    for (int start = 0; start < tokens; start += length) {
      int same = firstFlip(choices, start, length);
      anyFlip |= same < length;
      positions += length;
      leftOut += length - same;
      if (perPosition) {
        compare(expected, found, start, same, tokens);
      }
    }
    if (!perPosition && !anyFlip) {
      for (String name : outputs) {
        worst = Math.max(worst, Difference.relative(found.get(name), expected.get(name)));
      }
    }
  }

  /** Outputs with a row for each position, over the positions of one sequence that count. */
  private void compare(
      Map<String, Tensor> expected, Map<String, Tensor> found, int from, int count, int tokens) {
    for (String name : outputs) {
      Tensor right = expected.get(name);
      if (count > 0 && right.dims().size() > 2 && right.elements() % tokens == 0) {
        int row = Math.toIntExact(right.elements() / tokens);
        float[] other = found.get(name).toFloats();
        worst =
            Math.max(worst, Difference.relative(other, right.toFloats(), from * row, count * row));
      }
    }
  }

  /**
   * The first position of a sequence at which a block chose other experts; {@code length} if none.
   */
  private int firstFlip(List<Choices> choices, int start, int length) {
    for (int position = 0; position < length; position++) {
      for (Choices block : choices) {
        OptionalDouble gap = block.gapAt(start + position);
        if (gap.isPresent()) {
          flips.add(new Verdict.Flip(block.block.name(), start + position, gap.getAsDouble()));
          return position;
        }
      }
    }
    return length;
  }

  /** What one block chose in both runs, flattened, and the scores it chose by. */
  private static final class Choices {
    private final MoeBlock block;
    private final long[] expected;
    private final long[] found;
    private final float[] scores;

    Choices(MoeBlock block, Map<String, Tensor> expected, Map<String, Tensor> found) {
      this.block = block;
      this.expected = expected.get(block.routing().indices()).toLongs();
      this.found = found.get(block.routing().indices()).toLongs();
      this.scores = expected.get(block.routing().scores()).toFloats();
    }

    int tokens() {
      return expected.length / block.topK();
    }

    /** How far apart the scores are of experts that only one run chose; empty if there are none. */
    OptionalDouble gapAt(int token) {
      Set<Long> right = chosen(expected, token);
      Set<Long> other = chosen(found, token);
      if (right.equals(other)) {
        return OptionalDouble.empty();
      }
      double lowest =
          right.stream()
              .filter(e -> !other.contains(e))
              .mapToDouble(e -> score(token, e))
              .min()
              .orElse(Double.POSITIVE_INFINITY);
      double highest =
          other.stream()
              .filter(e -> !right.contains(e))
              .mapToDouble(e -> score(token, e))
              .max()
              .orElse(Double.NEGATIVE_INFINITY);
      return OptionalDouble.of(Math.abs(lowest - highest));
    }

    private Set<Long> chosen(long[] indices, int token) {
      return Arrays.stream(indices, token * block.topK(), (token + 1) * block.topK())
          .boxed()
          .collect(Collectors.toSet());
    }

    private double score(int token, long expert) {
      return scores[token * block.experts() + (int) expert];
    }
  }

  Verdict verdict(Map<String, Double> blockErrors) {
    return new Verdict(blockErrors, worst, positions, leftOut, List.copyOf(flips));
  }
}
