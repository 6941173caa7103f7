package io.moneonnx.run;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/** Tensors in the runtime's own terms, over the callers' buffers where those are direct. */
record Feeds(Map<String, OnnxTensor> tensors) implements AutoCloseable {
  static Feeds of(Map<String, Tensor> feeds) throws OrtException {
    Feeds fed = new Feeds(new LinkedHashMap<>());
    try {
      for (Map.Entry<String, Tensor> feed : feeds.entrySet()) {
        fed.tensors.put(feed.getKey(), tensor(feed.getKey(), feed.getValue()));
      }
      return fed;
    } catch (OrtException | RuntimeException e) {
      fed.close();
      throw e;
    }
  }

  private static OnnxTensor tensor(String input, Tensor feed) throws OrtException {
    long[] shape = feed.dims().stream().mapToLong(Long::longValue).toArray();
    return OnnxTensor.createTensor(
        Engine.environment(), feed.bytes(), shape, javaType(input, feed.type()));
  }

  private static OnnxJavaType javaType(String input, ElementType type) {
    return switch (type) {
      case FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT8, INT16, INT32, INT64, UINT8, BOOL ->
          OnnxJavaType.valueOf(type.name());
      default ->
          throw new BadInputException(
              "input '" + input + "': ONNX Runtime takes no " + type.text() + " from Java");
    };
  }

  @Override
  public void close() {
    tensors.values().forEach(OnnxTensor::close);
  }
}
