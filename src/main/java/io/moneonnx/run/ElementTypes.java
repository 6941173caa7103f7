package io.moneonnx.run;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.TensorInfo;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;

/** Element types in the runtime's terms; its own numbers for them are not those of ONNX files. */
final class ElementTypes {
  private static final String PREFIX = "ONNX_TENSOR_ELEMENT_DATA_TYPE_";

  private ElementTypes() {}

  static ElementType of(TensorInfo info) {
    return ElementType.valueOf(info.onnxType.name().substring(PREFIX.length()));
  }

  /** The type under which {@code input} is fed; some types cannot be. */
  static OnnxJavaType toJava(String input, ElementType type) {
    return switch (type) {
      case FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT8, INT16, INT32, INT64, UINT8, BOOL ->
          OnnxJavaType.valueOf(type.name());
      default ->
          throw new BadInputException(
              "input '" + input + "': ONNX Runtime takes no " + type.text() + " from Java");
    };
  }
}
