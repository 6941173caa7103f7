package io.moneonnx.io;

import io.moneonnx.graph.Tensor;
import java.nio.ByteBuffer;
import java.util.Map;

/**
 * A model for a runtime in the same process.
 *
 * @param bytes an ONNX file, in a direct buffer
 * @param apart initializers whose elements are not in these bytes, by name: they are off the heap,
 *     where the runtime reads them
 */
public record InMemory(ByteBuffer bytes, Map<String, Tensor> apart) {
  /** What the bytes name as the data file of the tensors that are given apart. */
  static final String LOCATION = "mone-onnx.apart";

  public InMemory {
    apart = Map.copyOf(apart);
  }
}
