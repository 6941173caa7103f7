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
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;

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

  /** Stacked weights of 8 bits that are dequantised where they are gathered, block by block. */
  public static Model gathered(Model model) {
    Map<String, Initializer> constants = new LinkedHashMap<>(model.graph().initializers());
    List<Node> nodes = new ArrayList<>();
    for (Node node : model.graph().nodes()) {
      nodes.add(node.is("Gather") && isOfExpert(node.input(0)) ? gathered(node, constants) : node);
    }
    return with(model, nodes, constants);
  }

  private static Node gathered(Node gather, Map<String, Initializer> constants) {
    String name = gather.input(0);
    List<Long> dims = constants.remove(name).tensor().dims();
    List<Long> blocks = List.of(dims.get(0), dims.get(1), (dims.get(2) + BLOCK - 1) / BLOCK);
    put(constants, name + "_q", bytes(ElementType.UINT8, dims, name));
    put(constants, name + "_scale", scales(blocks, name));
    put(constants, name + "_zero", bytes(ElementType.UINT8, blocks, name + "z"));
    return new Node(
        "GatherBlockQuantized",
        "com.microsoft",
        gather.output(),
        List.of(name + "_q", gather.input(1), name + "_scale", name + "_zero"),
        gather.outputs(),
        Map.of(
            "gather_axis", Attribute.of(0),
            "quantize_axis", Attribute.of(2),
            "bits", Attribute.of(8),
            "block_size", Attribute.of(BLOCK)),
        UnknownFields.NONE);
  }

  /** As {@code quantize_dynamic} writes it: products of integers, the router's among them. */
  public static Model dynamic(Model model) {
    Map<String, Initializer> constants = new LinkedHashMap<>(model.graph().initializers());
    List<Node> nodes = new ArrayList<>();
    Set<String> quantised = new HashSet<>();
    for (Node node : model.graph().nodes()) {
      if (isProduct(node)) {
        if (quantised.add(node.input(0))) {
          nodes.add(
              Node.of(
                  "DynamicQuantizeLinear",
                  List.of(node.input(0)),
                  Stream.of("_int", "_unit", "_zero").map(node.input(0)::concat).toList(),
                  Map.of()));
        }
        nodes.addAll(integers(node, constants));
      } else {
        nodes.add(node);
      }
    }
    return with(model, nodes, constants);
  }

  private static boolean isProduct(Node node) {
    boolean hasWeight = isOfExpert(node.input(1)) || node.input(1).equals("router");
    return hasWeight && (node.is("Gemm") || node.is("MatMul"));
  }

  private static List<Node> integers(Node product, Map<String, Initializer> constants) {
    String x = product.input(0);
    String name = product.input(1);
    String y = product.output();
    List<Long> dims = constants.remove(name).tensor().dims();
    List<Long> inByOut = product.is("Gemm") ? List.of(dims.get(1), dims.get(0)) : dims;
    put(constants, name + "_q", bytes(ElementType.INT8, inByOut, name));
    put(constants, name + "_scale", scales(List.of(), name));
    return List.of(
        Node.of(
            "MatMulInteger",
            List.of(x + "_int", name + "_q", x + "_zero"),
            List.of(y + "_i"),
            Map.of()),
        Node.of("Cast", List.of(y + "_i"), List.of(y + "_f"), Map.of("to", Attribute.of(1))),
        Node.of("Mul", List.of(x + "_unit", name + "_scale"), List.of(y + "_s"), Map.of()),
        Node.of("Mul", List.of(y + "_f", y + "_s"), List.of(y), Map.of()));
  }

  /**
   * As {@code quantize_static} writes it: what products read and make, and the scores that experts
   * are chosen by, are quantised and dequantised.
   */
  public static Model around(Model model) {
    Model weights = dequantised(model);
    Map<String, Initializer> constants = new LinkedHashMap<>(weights.graph().initializers());
    put(constants, "step", Tensor.of(List.of(), 0.02f));
    put(constants, "middle", bytes(ElementType.INT8, List.of(), "middle"));
    List<Node> nodes = new ArrayList<>();
    for (Node node : weights.graph().nodes()) {
      boolean isScores = node.output().equals("scores");
      if (!isProduct(node) && !isScores) {
        nodes.add(node);
        continue;
      }
      String x = node.input(0);
      String y = node.output();
      List<String> inputs = new ArrayList<>(node.inputs());
      if (!isScores) {
        inputs.set(0, y + "_x");
        nodes.addAll(there(x, y + "_x"));
      }
      nodes.add(node.withValues(inputs, List.of(y + "_y")));
      nodes.addAll(there(y + "_y", y));
    }
    return with(model, nodes, constants);
  }

  private static List<Node> there(String from, String to) {
    return List.of(
        Node.of("QuantizeLinear", List.of(from, "step", "middle"), List.of(to + "_q"), Map.of()),
        Node.of("DequantizeLinear", List.of(to + "_q", "step", "middle"), List.of(to), Map.of()));
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
