package io.moneonnx;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Tiny models whose experts' weights, {@code up...} and {@code down...}, are random integers. */
public final class QuantisedMoe {
  private static final int BLOCK = 16;

  private QuantisedMoe() {}

  private static boolean isOfExpert(String name) {
    return name.matches("(up|down)\\d*");
  }

  /** int8 behind {@code DequantizeLinear}, with a scale and a zero point for each leading index. */
  public static Model dequantised(Model model) {
    Map<String, Initializer> constants = new LinkedHashMap<>(model.graph().initializers());
    List<Node> nodes = new ArrayList<>();
    for (String name : model.graph().initializers().keySet()) {
      if (isOfExpert(name)) {
        List<Long> dims = constants.remove(name).tensor().dims();
        List<Long> leading = dims.subList(0, 1);
        List<String> parts = List.of(name + "_q", name + "_scale", name + "_zero");
        put(constants, parts.get(0), bytes(ElementType.INT8, dims, name));
        put(constants, parts.get(1), scales(leading, name));
        put(constants, parts.get(2), bytes(ElementType.INT8, leading, name + "z"));
        nodes.add(
            Node.of("DequantizeLinear", parts, List.of(name), Map.of("axis", Attribute.of(0))));
      }
    }
    nodes.addAll(model.graph().nodes());
    return with(model, nodes, constants);
  }

  /** Packed into {@code MatMulNBits} of 4 or 8 bits, with scales and zero points for blocks. */
  public static Model packed(Model model, int bits) {
    Map<String, Initializer> constants = new LinkedHashMap<>(model.graph().initializers());
    List<Node> nodes = new ArrayList<>();
    for (Node node : model.graph().nodes()) {
      nodes.add(
          node.is("Gemm") && isOfExpert(node.input(1)) ? packed(node, bits, constants) : node);
    }
    return with(model, nodes, constants);
  }

  private static Node packed(Node gemm, int bits, Map<String, Initializer> constants) {
    String name = gemm.input(1);
    List<Long> dims = constants.remove(name).tensor().dims();
    long out = dims.get(0);
    long blocks = (dims.get(1) + BLOCK - 1) / BLOCK;
    long zeros = (blocks * bits + 7) / 8;
    put(
        constants,
        name + "_q",
        bytes(ElementType.UINT8, List.of(out, blocks, (long) BLOCK * bits / 8), name));
    put(constants, name + "_scale", scales(List.of(out * blocks), name));
    put(constants, name + "_zero", bytes(ElementType.UINT8, List.of(out * zeros), name + "z"));
    return new Node(
        "MatMulNBits",
        "com.microsoft",
        gemm.output(),
        List.of(gemm.input(0), name + "_q", name + "_scale", name + "_zero"),
        gemm.outputs(),
        Map.of(
            "K", Attribute.of(dims.get(1)),
            "N", Attribute.of(out),
            "bits", Attribute.of(bits),
            "block_size", Attribute.of(BLOCK)),
        UnknownFields.NONE);
  }

  private static void put(Map<String, Initializer> constants, String name, Tensor tensor) {
    constants.put(name, Initializer.of(name, tensor));
  }

  private static Tensor bytes(ElementType type, List<Long> dims, String seed) {
    byte[] values = new byte[Math.toIntExact(Tensor.elements(dims))];
    new Random(seed.hashCode()).nextBytes(values);
    return new Tensor.Inline(type, dims, ByteBuffer.wrap(values));
  }

  private static Tensor scales(List<Long> dims, String seed) {
    Random random = new Random(seed.hashCode());
    float[] values = new float[Math.toIntExact(Tensor.elements(dims))];
    for (int i = 0; i < values.length; i++) {
      values[i] = 0.001f + 0.002f * random.nextFloat();
    }
    return Tensor.of(dims, values);
  }

  private static Model with(Model model, List<Node> nodes, Map<String, Initializer> constants) {
    Graph graph = model.graph();
    Graph changed =
        new Graph(
            graph.name(),
            nodes,
            constants,
            graph.inputs(),
            graph.outputs(),
            graph.declared(),
            graph.rest());
    return new Model(
        changed, 9, Map.of("", 20L, "com.microsoft", 1L), model.metadata(), UnknownFields.NONE);
  }
}
