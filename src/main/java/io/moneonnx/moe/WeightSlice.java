package io.moneonnx.moe;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One axis of a constant matrix, possibly behind {@code Transpose}, {@code Cast} and {@code
 * DequantizeLinear}, from which single indices can be cut. The constant stays for its other
 * readers.
 */
record WeightSlice(Graph graph, String value, int axis) {
  /** Why indices of this axis, {@code size} wide, cannot be cut out; empty if they can. */
  Optional<String> objection(int size) {
    Optional<Tensor> constant = graph.constant(value);
    if (constant.isPresent()) {
      return objection(constant.get(), axis, size);
    }
    Node node = graph.producer(value).orElseThrow();
    return switch (node.opType()) {
      case "Cast", "Identity" -> new WeightSlice(graph, node.input(0), axis).objection(size);
      case "Transpose" -> transposed(node).objection(size);
      case "DequantizeLinear" -> dequantised(node, size);
      default ->
          Optional.of(
              "the weight '%s' is made by %s '%s'".formatted(value, node.opType(), node.label()));
    };
  }

  private Optional<String> objection(Tensor tensor, int along, int size) {
    if (along >= tensor.rank() || tensor.dims().get(along) != size) {
      return Optional.of(
          "'%s' is %s; wanted %d along axis %d".formatted(value, tensor.dims(), size, along));
    }
    long apart =
        tensor.dims().subList(along + 1, tensor.rank()).stream().reduce(1L, (a, b) -> a * b);
    return apart * tensor.type().bits() % 8 == 0
        ? Optional.empty()
        : Optional.of(
            "the indices of axis %d of '%s' do not begin at whole bytes".formatted(along, value));
  }

  private Optional<String> dequantised(Node node, int size) {
    Optional<String> objection = new WeightSlice(graph, node.input(0), axis).objection(size);
    for (int input = 1; input < node.inputs().size() && objection.isEmpty(); input++) {
      if (!node.input(input).isEmpty() && graph.constant(node.input(input)).isEmpty()) {
        objection = Optional.of("the scale '%s' is no constant".formatted(node.input(input)));
      } else if (isAlong(node, input)) {
        int along = scaleAxis(node, input);
        objection = new WeightSlice(graph, node.input(input), along).objection(size);
      }
    }
    return objection;
  }

  /** The weight with these indices of the axis only, in this order. */
  String keep(Ops ops, List<Integer> indices) {
    Optional<Tensor> constant = graph.constant(value);
    if (constant.isPresent()) {
      Tensor tensor = constant.get();
      Tensor near =
          axis == 0 ? tensor : new Tensor.Inline(tensor.type(), tensor.dims(), tensor.bytes());
      return ops.constant("kept", near.along(axis, indices));
    }
    Node node = graph.producer(value).orElseThrow();
    List<String> inputs = new ArrayList<>(node.inputs());
    if (node.is("Transpose")) {
      inputs.set(0, transposed(node).keep(ops, indices));
    } else {
      inputs.set(0, new WeightSlice(graph, node.input(0), axis).keep(ops, indices));
      for (int input = 1; input < inputs.size(); input++) {
        if (isAlong(node, input)) {
          WeightSlice scale = new WeightSlice(graph, node.input(input), scaleAxis(node, input));
          inputs.set(input, scale.keep(ops, indices));
        }
      }
    }
    return ops.apply(node, inputs, Map.of());
  }

  private WeightSlice transposed(Node transpose) {
    int from =
        transpose.attributes().get("perm") instanceof Attribute.OfInts perm
            ? perm.values().get(axis).intValue()
            : 1 - axis;
    return new WeightSlice(graph, transpose.input(0), from);
  }

  /** Scales and zero points are of one size, of one for each index of an axis, or of blocks. */
  private boolean isAlong(Node dequantise, int input) {
    if (dequantise.input(input).isEmpty()) {
      return false;
    }
    int rank = scale(dequantise, input).rank();
    long scaled = Math.floorMod(dequantise.intAttribute("axis", 1), 2L);
    return rank > 1 || (rank == 1 && scaled == axis && scale(dequantise, input).elements() > 1);
  }

  private int scaleAxis(Node dequantise, int input) {
    return scale(dequantise, input).rank() == 1 ? 0 : axis;
  }

  private Tensor scale(Node dequantise, int input) {
    return graph.constant(dequantise.input(input)).orElseThrow();
  }
}
