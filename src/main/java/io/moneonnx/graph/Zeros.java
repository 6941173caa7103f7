package io.moneonnx.graph;

import java.nio.ByteBuffer;
import java.util.Optional;

/** Tells values that are nothing but zeros, of whatever shape. */
public final class Zeros {
  private static final int READ = 64;

  private Zeros() {}

  /** True if {@code value} is a constant 0, or as many of them as the graph asks for. */
  public static boolean isZero(Graph graph, String value) {
    Optional<Tensor> constant = graph.constant(value);
    if (constant.isPresent()) {
      return isZero(constant.get());
    }
    return graph
        .producer(value)
        .filter(
            node ->
                isFilled(node)
                    || ((node.is("Expand") || node.is("Identity") || node.is("Cast"))
                        && isZero(graph, node.input(0))))
        .isPresent();
  }

  /** True for {@code ConstantOfShape} of 0. */
  private static boolean isFilled(Node node) {
    Optional<Attribute> value = node.attribute("value");
    return node.is("ConstantOfShape")
        && (value.isEmpty()
            || (value.get() instanceof Attribute.OfTensor tensor && isZero(tensor.value())));
  }

  private static boolean isZero(Tensor tensor) {
    if (tensor instanceof Tensor.Strings || tensor.elements() > READ) {
      return false;
    }
    ByteBuffer bytes = tensor.bytes();
    while (bytes.hasRemaining()) {
      if (bytes.get() != 0) {
        return false;
      }
    }
    return true;
  }
}
