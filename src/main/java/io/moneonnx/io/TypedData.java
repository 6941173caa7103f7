package io.moneonnx.io;

import io.moneonnx.graph.ElementType;
import io.moneonnx.proto.onnx.TensorProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Elements that a tensor lists as numbers, as the packed little-endian bytes they stand for. */
final class TypedData {
  private TypedData() {}

  static ByteBuffer bytes(ElementType type, TensorProto tensor) {
    return switch (type) {
      case FLOAT, COMPLEX64 -> floats(tensor);
      case DOUBLE, COMPLEX128 -> doubles(tensor);
      case INT64 -> int64s(tensor);
      case UINT32, UINT64 -> uint64s(tensor, type.bits() / 8);
      default -> int32s(tensor, Math.max(1, type.bits() / 8));
    };
  }

  private static ByteBuffer floats(TensorProto tensor) {
    ByteBuffer bytes = allocate(tensor.getFloatDataCount(), Float.BYTES);
    for (int i = 0; i < tensor.getFloatDataCount(); i++) {
      bytes.putFloat(tensor.getFloatData(i));
    }
    return bytes.flip();
  }

  private static ByteBuffer doubles(TensorProto tensor) {
    ByteBuffer bytes = allocate(tensor.getDoubleDataCount(), Double.BYTES);
    for (int i = 0; i < tensor.getDoubleDataCount(); i++) {
      bytes.putDouble(tensor.getDoubleData(i));
    }
    return bytes.flip();
  }

  private static ByteBuffer int64s(TensorProto tensor) {
    ByteBuffer bytes = allocate(tensor.getInt64DataCount(), Long.BYTES);
    for (int i = 0; i < tensor.getInt64DataCount(); i++) {
      bytes.putLong(tensor.getInt64Data(i));
    }
    return bytes.flip();
  }

  private static ByteBuffer uint64s(TensorProto tensor, int width) {
    ByteBuffer bytes = allocate(tensor.getUint64DataCount(), width);
    for (int i = 0; i < tensor.getUint64DataCount(); i++) {
      put(bytes, tensor.getUint64Data(i), width);
    }
    return bytes.flip();
  }

  /** One entry is one element; where elements are smaller than a byte, one packed byte of them. */
  private static ByteBuffer int32s(TensorProto tensor, int width) {
    ByteBuffer bytes = allocate(tensor.getInt32DataCount(), width);
    for (int i = 0; i < tensor.getInt32DataCount(); i++) {
      put(bytes, tensor.getInt32Data(i), width);
    }
    return bytes.flip();
  }

  private static void put(ByteBuffer bytes, long value, int width) {
    switch (width) {
      case 1 -> bytes.put((byte) value);
      case 2 -> bytes.putShort((short) value);
      case 4 -> bytes.putInt((int) value);
      default -> bytes.putLong(value);
    }
  }

  private static ByteBuffer allocate(int count, int width) {
    return ByteBuffer.allocate(Math.multiplyExact(count, width)).order(ByteOrder.LITTLE_ENDIAN);
  }
}
