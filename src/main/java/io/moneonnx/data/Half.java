package io.moneonnx.data;

/** IEEE half precision in Java 17, which has no conversions of its own. */
final class Half {
  private static final int EXPONENT_SHIFT = 13;
  private static final float SMALLEST = 0x1p-24f;

  private Half() {}

  static float toFloat(short half) {
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
  static short of(float value) {
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
}
