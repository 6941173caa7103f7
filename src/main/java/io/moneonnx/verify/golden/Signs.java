package io.moneonnx.verify.golden;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A fixed vector of signs: of element {@code j} the bit {@code j mod 64}, counted from the lowest,
 * of the {@code j / 64}th number of a {@link SplittableRandom} with this seed; 1 is minus.
 */
final class Signs {
  private final long[] bits;

  Signs(long seed, int length) {
    SplittableRandom random = new SplittableRandom(seed);
    bits = new long[(length + 63) / 64];
    Arrays.setAll(bits, word -> random.nextLong());
  }

  /** The value with the sign of element {@code j}. */
  double times(int j, double value) {
    return (bits[j >> 6] >>> j & 1) == 0 ? value : -value;
  }
}
