package io.moneonnx.run;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
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
        Engine.environment(),
        DirectBytes.of(feed.bytes()),
        shape,
        ElementTypes.toJava(input, feed.type()));
  }

  @Override
  public void close() {
    tensors.values().forEach(OnnxTensor::close);
  }
}
