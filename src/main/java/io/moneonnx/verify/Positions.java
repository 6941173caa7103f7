package io.moneonnx.verify;

import io.moneonnx.data.UnmaskedTokens;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** The positions of one run at which two models say what comes next. */
final class Positions {
  private final String output;
  private final long[] tokens;
  private final int sequence;
  private final UnmaskedTokens shown;

  /**
   * All of one run.
   *
   * @param output the logits {@code [batch, positions, vocabulary]}
   * @param tokens ids {@code [batch, sequence]}, of which the logits speak of the last ones; empty
   *     where the logits are not about an input: every position counts then, and nothing is
   *     foreseen
   */
  private Positions(String output, long[] tokens, int sequence, UnmaskedTokens shown) {
    this.output = output;
    this.tokens = tokens;
    this.sequence = sequence;
    this.shown = shown;
  }

  static Positions of(Logits logits, Map<String, Tensor> feeds, UnmaskedTokens shown) {
    if (logits.tokens().isEmpty()) {
      return new Positions(logits.output(), new long[0], 0, shown);
    }
    Tensor tokens = feeds.get(logits.tokens().get());
    int sequence = tokens.dims().get(1).intValue();
    return new Positions(logits.output(), tokens.toLongs(), sequence, shown);
  }

  /** Compares what two models put out at those that count, in order. */
  List<Position> compared(Map<String, Tensor> before, Map<String, Tensor> after) {
    List<Long> dims = before.get(output).dims();
    int length = dims.get(1).intValue();
    int vocabulary = dims.get(2).intValue();
    requireKnown(vocabulary);
    FloatRows expected = new FloatRows(before.get(output), vocabulary);
    FloatRows found = new FloatRows(after.get(output), vocabulary);
    return IntStream.range(0, expected.count())
        .parallel()
        .filter(row -> counts(row / length, token(row, length)))
        .mapToObj(
            row -> {
              OptionalInt next = next(row / length, token(row, length));
              return Position.of(expected.row(row), found.row(row), next);
            })
        .toList();
  }

  /** Which token of its sequence a row is about. */
  private int token(int row, int length) {
    return row % length + (sequence == 0 ? 0 : sequence - length);
  }

  private boolean counts(int batch, int token) {
    return sequence == 0 || token < 0 || shown.isShown(batch, token);
  }

  private OptionalInt next(int batch, int token) {
    int next = token + 1;
    return next > 0 && next < sequence && shown.isForeseen(batch, next)
        ? OptionalInt.of((int) tokens[batch * sequence + next])
        : OptionalInt.empty();
  }

  private void requireKnown(int vocabulary) {
    for (long token : tokens) {
      if (token < 0 || token >= vocabulary) {
        throw new BadInputException(
            "token id %d, but '%s' scores ids below %d".formatted(token, output, vocabulary));
      }
    }
  }
}
