package io.moneonnx.form;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Activations;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.Ffn.Packed;
import io.moneonnx.moe.Ffn.Projection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * What the down projections inside a fused operator read, computed beside it in float32 from its
 * weights, one expert at a time. There is a row for each slot, in their order.
 *
 * <pre>{@code
 * x = Gather (tokens, row / topK)                                          [n, hidden]
 * g = x up[e]^T + bias[e]
 * a = act (g), or act (g) * u, or swiglu (g, u)                            [n, inner]
 * swiglu (g, u) = G * Sigmoid (alpha * G) * (U + beta)
 * }</pre>
 *
 * where {@code G} and {@code U} are {@code g} and {@code u} limited from above, and {@code U} from
 * below. {@code u} is a third projection's, or the second part of the first one's. This is the
 * formula of ONNX Runtime's ContribOperators.md; its kernels take the approximation by {@code tanh}
 * for gelu.
 *
 * @param tokens {@code [tokens, hidden]}
 */
record FusedActivations(Node node, Ffn ffn, String tokens, int topK)
    implements Activations.Recomputed {
  private static final String SWIGLU = "swiglu";
  private static final Set<String> KNOWN = Set.of("relu", "gelu", "silu", "identity", SWIGLU);

  /**
   * Empty for weights that are packed in an order of the runtime's own, and for activations that
   * are not known.
   */
  static Optional<Activations> of(Ops ops, Node node, Optional<Ffn> ffn, int topK) {
    boolean isQuantised = FusedSignature.of(node).orElseThrow().isQuantised();
    return ffn.filter(each -> KNOWN.contains(FusedSignature.activationType(node)))
        .filter(
            each ->
                Stream.concat(each.gate().stream(), Stream.of(each.up(), each.down()))
                    .allMatch(projection -> projection.packed().isPresent() == isQuantised))
        .map(
            each -> {
              String tokens =
                  ops.reshape(ops.edit().input(node, FusedSignature.TOKENS), -1, each.hidden());
              return new FusedActivations(node, each, tokens, topK);
            });
  }

  @Override
  public Optional<String> slots() {
    return Optional.empty();
  }

  @Override
  public String of(Ops ops, String expert, String rows) {
    String token = ops.div(rows, ops.vector(topK));
    String x = ops.cast(ops.gather(tokens, token), ElementType.FLOAT);
    String up = projected(ops, x, expert, ffn.up());
    return switch (ffn.kind()) {
      case PLAIN -> activated(ops, up);
      case GATED -> gated(ops, projected(ops, x, expert, ffn.gate().orElseThrow()), up);
      case CONCATENATED -> gated(ops, channels(ops, up, 0, 1), channels(ops, up, ffn.inner(), 1));
      case INTERLEAVED -> gated(ops, channels(ops, up, 0, 2), channels(ops, up, 1, 2));
    };
  }

  @Override
  public String outputs(Ops ops, String expert, String activations) {
    return projected(ops, activations, expert, ffn.down());
  }

  private String projected(Ops ops, String x, String expert, Projection projection) {
    String weight =
        projection
            .packed()
            .map(packed -> dequantised(ops, expert, projection, packed))
            .orElseGet(
                () -> ops.reshape(own(ops, projection.weight(), expert), projection.width(), -1));
    String product = ops.matMulTurned(x, weight);
    return projection.bias().map(bias -> ops.add(product, own(ops, bias, expert))).orElse(product);
  }

  /** What one expert has of a weight or a bias, float32 {@code [1, ...]}. */
  private static String own(Ops ops, String all, String expert) {
    return ops.cast(ops.gather(all, expert), ElementType.FLOAT);
  }

  /**
   * The weight of one expert, {@code [out, in]}.
   *
   * <pre>{@code
   * (integers - zeros) * scales, zeros and scales of a row or of a block of it
   * }</pre>
   */
  private String dequantised(Ops ops, String expert, Projection projection, Packed packed) {
    int rows = projection.width();
    int columns = projection.equals(ffn.down()) ? ffn.inner() : ffn.hidden();
    int block = packed.block() == 0 ? columns : packed.block();
    int blocks = (columns + block - 1) / block;
    String integers = first(ops, integers(ops, packed.weight(), expert, packed, rows), columns);
    String zeros =
        packed.zeros().isPresent()
            ? first(ops, integers(ops, packed.zeros().getAsInt(), expert, packed, rows), blocks)
            : ops.constant(
                "middle", ones(List.of((long) rows, (long) blocks), 1 << (packed.bits() - 1)));
    String scales =
        ops.reshape(own(ops, ops.edit().input(node, packed.scales()), expert), rows, blocks);
    String shifted = ops.sub(integers, spread(ops, zeros, rows, blocks, block, columns));
    return ops.mul(shifted, spread(ops, scales, rows, blocks, block, columns));
  }

  /** What blocks have, for each column of theirs: {@code [rows, columns]}. */
  private static String spread(
      Ops ops, String perBlock, int rows, int blocks, int block, int columns) {
    String copies =
        ops.mul(
            ops.reshape(perBlock, rows, blocks, 1),
            ops.constant("each", ones(List.of(1L, 1L, (long) block), 1)));
    return first(ops, ops.reshape(copies, rows, -1), columns);
  }

  private static Tensor ones(List<Long> dims, float one) {
    float[] all = new float[Math.toIntExact(Tensor.elements(dims))];
    Arrays.fill(all, one);
    return Tensor.of(dims, all);
  }

  /** The first columns of a matrix. */
  private static String first(Ops ops, String matrix, int columns) {
    return ops.slice(matrix, 1, 0, columns);
  }

  /** What is packed in bytes, the first numbers in their lowest bits: float32 {@code [rows, n]}. */
  private String integers(Ops ops, int input, String expert, Packed packed, int rows) {
    String shifted = own(ops, ops.edit().input(node, input), expert);
    int each = Byte.SIZE / packed.bits();
    float base = 1 << packed.bits();
    List<String> numbers = new ArrayList<>();
    for (int i = 0; i < each; i++) {
      String whole = shifted;
      if (i < each - 1) {
        String next = ops.cast(ops.mul(whole, ops.scalar(1 / base)), ElementType.INT32);
        shifted = ops.cast(next, ElementType.FLOAT);
        whole = ops.sub(whole, ops.mul(shifted, ops.scalar(base)));
      }
      numbers.add(ops.reshape(whole, -1, 1));
    }
    return ops.reshape(ops.concat(1, numbers), rows, -1);
  }

  /** Every {@code step}th channel of {@code both [n, 2 * inner]} from the first one. */
  private String channels(Ops ops, String both, long first, long step) {
    long[] all = LongStream.range(0, ffn.inner()).map(i -> first + i * step).toArray();
    return ops.gather(both, ops.vector(all), 1);
  }

  private String gated(Ops ops, String gate, String up) {
    return type().equals(SWIGLU) ? swiglu(ops, gate, up) : ops.mul(activated(ops, gate), up);
  }

  private String swiglu(Ops ops, String gate, String up) {
    float limit = number("swiglu_limit", Float.POSITIVE_INFINITY);
    boolean isLimited = Float.isFinite(limit);
    String g = isLimited ? ops.min(gate, ops.scalar(limit)) : gate;
    String u = isLimited ? ops.max(ops.min(up, ops.scalar(limit)), ops.scalar(-limit)) : up;
    String swish = ops.mul(g, ops.sigmoid(ops.mul(g, ops.scalar(number("activation_alpha", 1)))));
    return ops.mul(swish, ops.add(u, ops.scalar(number("activation_beta", 0))));
  }

  private String activated(Ops ops, String x) {
    return switch (type()) {
      case "relu" -> ops.max(x, ops.scalar(0f));
      case "gelu" -> gelu(ops, x);
      case "silu" -> ops.mul(x, ops.sigmoid(x));
      default -> x;
    };
  }

  /** {@code x (1 + tanh (sqrt (2 / pi) (x + 0.044715 x^3))) / 2}. */
  private static String gelu(Ops ops, String x) {
    String cubed = ops.mul(ops.mul(x, x), x);
    String inner = ops.add(x, ops.mul(cubed, ops.scalar(0.044715f)));
    String tanh = ops.tanh(ops.mul(inner, ops.scalar((float) Math.sqrt(2 / Math.PI))));
    return ops.mul(ops.mul(x, ops.scalar(0.5f)), ops.add(tanh, ops.scalar(1f)));
  }

  private String type() {
    return FusedSignature.activationType(node);
  }

  private float number(String attribute, float otherwise) {
    return node.attributes().get(attribute) instanceof Attribute.OfFloat given
        ? given.value()
        : otherwise;
  }
}
