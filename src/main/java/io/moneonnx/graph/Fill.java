package io.moneonnx.graph;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;

/** Tells the one number that a tensor is filled with, whatever its shape. */
public final class Fill {
  private static final int LOOKED_AT = 4096;

  private Fill() {}

  /** The number that every element of {@code value} is, if the graph says so. */
  public static Optional<Double> of(Graph graph, String value) {
    Optional<Tensor> constant = graph.constant(value);
    return constant.isPresent()
        ? constant.flatMap(Fill::of)
        : graph.producer(value).flatMap(node -> madeBy(graph, node));
  }

  /** True if every element of {@code value} is 0, as far as the graph says. */
  public static boolean isZero(Graph graph, String value) {
    return of(graph, value).filter(number -> number == 0).isPresent();
  }

  private static Optional<Double> madeBy(Graph graph, Node node) {
    if (!node.domain().isEmpty()) {
      return Optional.empty();
    }
    return switch (node.opType()) {
      case "Cast", "Expand", "Identity", "Reshape", "Squeeze", "Unsqueeze" ->
          of(graph, node.input(0));
      case "ConstantOfShape" ->
          node.attributes().get("value") instanceof Attribute.OfTensor tensor
              ? of(tensor.value())
              : Optional.of(0.0);
      default -> Optional.empty();
    };
  }

  private static Optional<Double> of(Tensor tensor) {
    if (tensor.elements() == 0 || tensor.elements() > LOOKED_AT || !isRead(tensor.type())) {
      return Optional.empty();
    }
    double[] all = numbers(tensor);
    boolean same = IntStream.range(0, all.length).allMatch(i -> all[i] == all[0]);
    return same ? Optional.of(all[0]) : Optional.empty();
  }

  private static boolean isRead(ElementType type) {
    return switch (type) {
      case INT64, INT32, INT16, INT8, UINT64, UINT32, UINT16, UINT8, BOOL -> true;
      default -> type.isFloating();
    };
  }

  private static double[] numbers(Tensor tensor) {
    if (tensor.type().isFloating()) {
      float[] floats = tensor.toFloats();
      return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
    }
    return Arrays.stream(tensor.toLongs()).asDoubleStream().toArray();
  }
}
