package io.moneonnx.run;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.TensorInfo;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a model wants to be fed, so that a wrong feed is named before the runtime sees it. */
record InputSignature(String model, Map<String, TensorInfo> inputs) {
  InputSignature {
    inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
  }

  static InputSignature of(String model, Map<String, NodeInfo> declared) {
    Map<String, TensorInfo> inputs = new LinkedHashMap<>();
    declared.forEach(
        (input, node) -> {
          if (!(node.getInfo() instanceof TensorInfo info)) {
            throw new BadInputException(model + ": input '" + input + "' is no tensor");
          }
          inputs.put(input, info);
        });
    return new InputSignature(model, inputs);
  }

  List<String> names() {
    return List.copyOf(inputs.keySet());
  }

  void check(Map<String, Tensor> feeds) {
    for (String fed : feeds.keySet()) {
      if (!inputs.containsKey(fed)) {
        throw new BadInputException(
            "%s: no input '%s'; its inputs are %s"
                .formatted(model, fed, String.join(", ", names())));
      }
    }
    inputs.forEach(
        (input, wanted) -> {
          Tensor fed = feeds.get(input);
          if (fed == null) {
            throw new BadInputException(model + ": input '" + input + "' is not fed");
          }
          if (!fits(fed, wanted)) {
            throw new BadInputException(
                "%s: input '%s' wants %s, found %s%s"
                    .formatted(model, input, text(wanted), fed.type().text(), fed.dims()));
          }
        });
  }

  /** A shape without dimensions may be a scalar's, or not known at all: it takes every tensor. */
  private static boolean fits(Tensor fed, TensorInfo wanted) {
    long[] shape = wanted.getShape();
    if (ElementTypes.of(wanted) != fed.type() || (shape.length > 0 && shape.length != fed.rank())) {
      return false;
    }
    for (int axis = 0; axis < shape.length; axis++) {
      if (shape[axis] >= 0 && shape[axis] != fed.dims().get(axis)) {
        return false;
      }
    }
    return true;
  }

  private static String text(TensorInfo info) {
    String[] dims = info.getDimensionNames().clone();
    for (int axis = 0; axis < dims.length; axis++) {
      long size = info.getShape()[axis];
      dims[axis] = size >= 0 ? Long.toString(size) : dims[axis].isEmpty() ? "?" : dims[axis];
    }
    return ElementTypes.of(info).text() + Arrays.toString(dims);
  }
}
