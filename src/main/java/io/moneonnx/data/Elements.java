package io.moneonnx.data;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Half;
import io.moneonnx.graph.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Numbers as tensors of the element type that a model declares. */
final class Elements {
  private Elements() {}

  /** Integers in any numeric type; what does not fit is cut off, so ask {@link #convert} first. */
  static Tensor.Inline ofLongs(ElementType type, List<Long> dims, long[] values) {
    if (type.isFloating()) {
      return ofDoubles(type, dims, Arrays.stream(values).asDoubleStream().toArray());
    }
    ByteBuffer bytes = allocate(type, values.length);
    for (long value : values) {
      switch (type) {
        case INT64, UINT64 -> bytes.putLong(value);
        case INT32, UINT32 -> bytes.putInt((int) value);
        case INT16, UINT16 -> bytes.putShort((short) value);
        case INT8, UINT8 -> bytes.put((byte) value);
        case BOOL -> bytes.put((byte) (value == 0 ? 0 : 1));
        default -> throw new IllegalArgumentException(type.text() + " holds no integers");
      }
    }
    return new Tensor.Inline(type, dims, bytes.flip());
  }

  /** Numbers in a floating type, each rounded to the nearest. */
  static Tensor.Inline ofDoubles(ElementType type, List<Long> dims, double[] values) {
    ByteBuffer bytes = allocate(type, values.length);
    for (double value : values) {
      switch (type) {
        case DOUBLE -> bytes.putDouble(value);
        case FLOAT -> bytes.putFloat((float) value);
        case FLOAT16 -> bytes.putShort(Half.of((float) value));
        case BFLOAT16 -> bytes.putShort(Half.brainOf((float) value));
        default -> throw new IllegalArgumentException(type.text() + " is no floating type");
      }
    }
    return new Tensor.Inline(type, dims, bytes.flip());
  }

  static Tensor.Inline zeros(ElementType type, List<Long> dims) {
    long size = type.bytes(Tensor.elements(dims));
    return new Tensor.Inline(type, dims, ByteBuffer.allocate(Math.toIntExact(size)));
  }

  /** The same numbers in another type; empty if one of them would change. */
  static Optional<Tensor.Inline> convert(Tensor.Inline tensor, ElementType type) {
    if (tensor.type() == type) {
      return Optional.of(tensor);
    }
    if (tensor.type().isFloating() != type.isFloating() || !isNumeric(type)) {
      return Optional.empty();
    }
    return type.isFloating() ? convertFloats(tensor, type) : convertIntegers(tensor, type);
  }

  private static boolean isNumeric(ElementType type) {
    return switch (type) {
      case INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, BOOL -> true;
      default -> type.isFloating();
    };
  }

  private static Optional<Tensor.Inline> convertIntegers(Tensor.Inline tensor, ElementType type) {
    long[] values = tensor.toLongs();
    Tensor.Inline converted = ofLongs(type, tensor.dims(), values);
    boolean signsDiffer = tensor.type() == ElementType.UINT64 || type == ElementType.UINT64;
    boolean wraps = signsDiffer && Arrays.stream(values).anyMatch(value -> value < 0);
    return Optional.of(converted).filter(found -> !wraps && Arrays.equals(found.toLongs(), values));
  }

  private static Optional<Tensor.Inline> convertFloats(Tensor.Inline tensor, ElementType type) {
    double[] values = doubles(tensor);
    Tensor.Inline converted = ofDoubles(type, tensor.dims(), values);
    return Optional.of(converted).filter(found -> Arrays.equals(doubles(found), values));
  }

  private static double[] doubles(Tensor.Inline tensor) {
    ByteBuffer bytes = tensor.bytes();
    double[] values = new double[Math.toIntExact(tensor.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (tensor.type()) {
            case DOUBLE -> bytes.getDouble();
            case FLOAT -> bytes.getFloat();
            case FLOAT16 -> Half.toFloat(bytes.getShort());
            case BFLOAT16 -> Half.brainToFloat(bytes.getShort());
            default -> throw new IllegalArgumentException(tensor.type().text());
          };
    }
    return values;
  }

  private static ByteBuffer allocate(ElementType type, int count) {
    return ByteBuffer.allocate(Math.toIntExact(type.bytes(count))).order(ByteOrder.LITTLE_ENDIAN);
  }
}
