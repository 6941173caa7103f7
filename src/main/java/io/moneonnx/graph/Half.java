package io.moneonnx.graph;

/** The 16-bit floating types in Java 17, which has no conversions of its own. */
public final class Half {
  private static final int EXPONENT_SHIFT = 13;
  private static final float SMALLEST = 0x1p-24f;

  private Half() {}

  /** The number that an IEEE half stands for. */
  public static float toFloat(short half) {
    int sign = (half & 0x8000) << 16;
    int exponent = (half >> 10) & 0x1f;
    int fraction = half & 0x3ff;
    if (exponent == 0) {
      float magnitude = fraction * SMALLEST;
      return sign == 0 ? magnitude : -magnitude;
    }
    int wide = exponent == 0x1f ? 0xff : exponent + 127 - 15;
    return Float.intBitsToFloat(sign | wide << 23 | fraction << EXPONENT_SHIFT);
  }

  /** The nearest half, ties to even; infinite from 65,520 on. */
  public static short of(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = (bits >>> 16) & 0x8000;
    float magnitude = Math.abs(value);
    if (Float.isNaN(value)) {
      return (short) (sign | 0x7e00);
    }
    if (magnitude >= 65_520f) {
      return (short) (sign | 0x7c00);
    }
    if (magnitude < 0x1p-14f) {
      return (short) (sign | (int) Math.rint(magnitude / SMALLEST));
    }
    int rebased = (bits & 0x7fff_ffff) - ((127 - 15) << 23);
    int odd = (rebased >> EXPONENT_SHIFT) & 1;
    return (short) (sign | (rebased + 0xfff + odd) >> EXPONENT_SHIFT);
  }

  /** The number that a bfloat16, the upper half of a float32, stands for. */
  public static float brainToFloat(short brain) {
    return Float.intBitsToFloat(brain << 16);
  }

  /** The nearest bfloat16, ties to even. */
  public static short brainOf(float value) {
    if (Float.isNaN(value)) {
      return (short) 0x7fc0;
    }
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }
}
