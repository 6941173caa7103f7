package io.moneonnx.verify;

import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Compares whole runs of two models that route alike up to rounding. Where a near-tied choice turns
 * over, all later positions of that sequence see other experts: only positions before it count.
 */
final class EndToEnd {
  private final List<MoeBlock> blocks;
  private final List<String> outputs;
  private final List<Verdict.Flip> flips = new ArrayList<>();
  private double worst;
  private double shift;
  private long positions;
  private long leftOut;

  EndToEnd(List<MoeBlock> blocks, List<String> outputs) {
    this.blocks = blocks;
    this.outputs = outputs;
  }

  /** Takes one run of both; the values are the outputs and each block's indices and scores. */
  void add(Map<String, Tensor> expected, Map<String, Tensor> found) {
    if (!expected.keySet().stream()
        .allMatch(name -> isAlike(expected.get(name), found.get(name)))) {
      worst = Double.POSITIVE_INFINITY;
      return;
    }
    List<Choices> choices = blocks.stream().map(b -> new Choices(b, expected, found)).toList();
    int tokens = choices.get(0).tokens();
    int length = sequenceLength(expected, tokens);
    List<Integer> same = new ArrayList<>();
    for (int start = 0; start < tokens; start += length) {
      same.add(firstFlip(choices, start, length));
    }
    long kept = same.stream().mapToLong(Integer::longValue).sum();
    positions += tokens;
    leftOut += tokens - kept;
    choices.forEach(block -> shift = Math.max(shift, block.shift(found, length, same)));
    for (String name : outputs) {
      Tensor right = expected.get(name);
      Tensor other = found.get(name);
      if (kept == tokens) {
        worst = Math.max(worst, Difference.relative(other, right));
      } else if (isPerPosition(right, tokens)) {
        comparePrefixes(other, right, length, same);
      }
    }
  }

  /** What is only in the first run is scores, which the second is not asked for. */
  private static boolean isAlike(Tensor expected, Tensor found) {
    return found == null
        || (found.type() == expected.type() && found.dims().equals(expected.dims()));
  }

  /** Tokens in one sequence, by the first output that has a row for each position. */
  private int sequenceLength(Map<String, Tensor> values, int tokens) {
    return outputs.stream()
        .map(values::get)
        .filter(output -> isPerPosition(output, tokens))
        .findFirst()
        .map(output -> output.dims().get(1).intValue())
        .orElse(tokens);
  }

  private static boolean isPerPosition(Tensor output, int tokens) {
    return output.rank() >= 2 && output.dims().get(0) * output.dims().get(1) == tokens;
  }

  /** Compares the positions of each sequence that come before its first flip. */
  private void comparePrefixes(Tensor found, Tensor expected, int length, List<Integer> same) {
    for (int sequence = 0; sequence < same.size(); sequence++) {
      int from = sequence * length;
      int count = same.get(sequence);
      worst =
          Math.max(
              worst,
              Difference.relative(
                  Difference.part(found, from, count), Difference.part(expected, from, count)));
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
          flips.add(new Verdict.Flip(block.name(), start + position, gap.getAsDouble()));
          return position;
        }
      }
    }
    return length;
  }

  /** The largest relative error of an output at the positions compared. */
  double worst() {
    return worst;
  }

  /** How far a score moved there at most; 0 where the second run shows none. */
  double shift() {
    return shift;
  }

  Verdict verdict(Map<String, Double> blockErrors) {
    return new Verdict(
        List.of(),
        blockErrors,
        Verdict.Bounds.of(blocks),
        worst,
        positions,
        leftOut,
        List.copyOf(flips));
  }
}
