package io.moneonnx.pipeline;

import java.util.OptionalInt;
import java.util.function.IntPredicate;

/**
 * The largest number for which something holds, if it holds for all numbers up to that one and for
 * none above. Where that is not so, the number found holds and the next one does not, but there may
 * be larger ones that hold.
 */
final class Bisection {
  private Bisection() {}

  /**
   * Asks for at most {@code floor(log2(most)) + 1} numbers, for each once: among them the one found
   * and the next one, as far as they are between 1 and {@code most}.
   *
   * @return empty if it does not hold for 1
   */
  static OptionalInt largest(int most, IntPredicate holds) {
    int below = 0;
    int above = most + 1;
    while (above - below > 1) {
      int middle = below + (above - below) / 2;
      if (holds.test(middle)) {
        below = middle;
      } else {
        above = middle;
      }
    }
    return below == 0 ? OptionalInt.empty() : OptionalInt.of(below);
  }
}
