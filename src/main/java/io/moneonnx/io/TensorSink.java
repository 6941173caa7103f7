package io.moneonnx.io;

import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;

/** Decides where the elements of written tensors go. */
interface TensorSink {
  /** Below this, in bytes, a tensor stays in the model: shape inference reads no data files. */
  int SMALL = 1024;

  /** Gives {@code proto}, which has its type and shape, the elements of {@code tensor}. */
  void put(Tensor tensor, TensorProto.Builder proto) throws IOException;
}
