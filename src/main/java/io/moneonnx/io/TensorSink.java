package io.moneonnx.io;

import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.onnx.TensorProto;

/** Decides which tensors have their elements outside of the model that is written. */
interface TensorSink {
  /** Below this, in bytes, a tensor stays in the model: shape inference reads no data files. */
  int SMALL = 1024;

  /** Takes no tensor: all stay in the model. */
  TensorSink NONE = (tensor, proto) -> false;

  /**
   * Says in {@code proto} where the elements of {@code tensor} are going to be, or takes nothing
   * and returns false.
   */
  boolean take(Tensor tensor, TensorProto.Builder proto);
}
