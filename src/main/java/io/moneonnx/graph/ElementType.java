package io.moneonnx.graph;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What one element of a tensor is: the element types of ONNX up to IR version 13. */
public enum ElementType {
  FLOAT(1, 32),
  UINT8(2, 8),
  INT8(3, 8),
  UINT16(4, 16),
  INT16(5, 16),
  INT32(6, 32),
  INT64(7, 64),
  STRING(8, 0),
  BOOL(9, 8),
  FLOAT16(10, 16),
  DOUBLE(11, 64),
  UINT32(12, 32),
  UINT64(13, 64),
  COMPLEX64(14, 64),
  COMPLEX128(15, 128),
  BFLOAT16(16, 16),
  FLOAT8E4M3FN(17, 8),
  FLOAT8E4M3FNUZ(18, 8),
  FLOAT8E5M2(19, 8),
  FLOAT8E5M2FNUZ(20, 8),
  UINT4(21, 4),
  INT4(22, 4),
  FLOAT4E2M1(23, 4),
  FLOAT8E8M0(24, 8),
  UINT2(25, 2),
  INT2(26, 2);

  private static final Map<Integer, ElementType> BY_CODE =
      Arrays.stream(values()).collect(Collectors.toMap(ElementType::code, Function.identity()));

  private final int code;
  private final int bits;

  ElementType(int code, int bits) {
    this.code = code;
    this.bits = bits;
  }

  /** The number that stands for this type in an ONNX file. */
  public int code() {
    return code;
  }

  /** Bits of one element, 0 for strings, which have no fixed size. */
  public int bits() {
    return bits;
  }

  /** Bytes that {@code elements} packed elements take. */
  public long bytes(long elements) {
    return (Math.multiplyExact(elements, (long) bits) + 7) / 8;
  }

  /** The type with this number in an ONNX file, if there is one. */
  public static Optional<ElementType> find(int code) {
    return Optional.ofNullable(BY_CODE.get(code));
  }

  /**
   * The type with this number in an ONNX file; throws {@link IllegalArgumentException} if none has
   * it.
   */
  public static ElementType ofCode(int code) {
    return find(code)
        .orElseThrow(
            () -> new IllegalArgumentException("no ONNX element type has the number " + code));
  }

  /** The name in ONNX's text syntax, such as {@code int64}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  public boolean isFloating() {
    return switch (this) {
      case FLOAT, FLOAT16, DOUBLE, BFLOAT16 -> true;
      default -> false;
    };
  }
}
