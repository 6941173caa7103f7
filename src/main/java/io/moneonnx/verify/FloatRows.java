package io.moneonnx.verify;

import io.moneonnx.graph.Half;
import io.moneonnx.graph.Tensor;
import java.nio.ByteBuffer;

/**
 * A floating tensor read row by row in double precision, so that no copy of all of it is made. Rows
 * may be read by several threads at once.
 *
 * @param width numbers in a row
 */
record FloatRows(Tensor tensor, int width) {
  /** How many there are. */
  int count() {
    return width == 0 ? 0 : Math.toIntExact(tensor.elements() / width);
  }

  double[] row(int number) {
    double[] row = new double[width];
    ByteBuffer bytes = tensor.bytes();
    int from = number * width;
    switch (tensor.type()) {
      case FLOAT -> {
        float[] floats = new float[width];
        bytes.asFloatBuffer().get(from, floats);
        for (int i = 0; i < width; i++) {
          row[i] = floats[i];
        }
      }
      case DOUBLE -> bytes.asDoubleBuffer().get(from, row);
      case FLOAT16 -> {
        for (int i = 0; i < width; i++) {
          row[i] = Half.toFloat(bytes.getShort(2 * (from + i)));
        }
      }
      case BFLOAT16 -> {
        for (int i = 0; i < width; i++) {
          row[i] = Half.brainToFloat(bytes.getShort(2 * (from + i)));
        }
      }
      default -> throw new IllegalStateException(tensor.type().text() + " is no floating type");
    }
    return row;
  }
}
