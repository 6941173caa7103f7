package io.moneonnx.form;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Node;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.Ffn.Projection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A fused operator, and what is known of its inputs and attributes.
 *
 * @param inputs how many inputs are known
 * @param ofNoExpert those of them that hold nothing of the experts
 * @param attributes those beside the ones that all have, and what kind each is of
 */
record FusedSignature(
    String operator,
    int inputs,
    Set<Integer> ofNoExpert,
    Map<String, Class<? extends Attribute>> attributes) {
  /** The hidden states, {@code [tokens, hidden]} or {@code [batch, sequence, hidden]}. */
  static final int TOKENS = 0;

  /** What experts are chosen by, {@code [tokens, experts]}: logits, whatever their name says. */
  static final int SCORES = 1;

  /** What QMoE multiplies the experts' outputs by, if it is not to be made from the scores. */
  static final int WEIGHTS = 14;

  static final String TOP_K = "k";
  static final String NORMALISED = "normalize_routing_weights";
  static final String SPARSE_MIXER = "use_sparse_mixer";
  static final String BITS = "expert_weight_bits";

  private static final String DOMAIN = "com.microsoft";

  /** The first weights, {@code [experts, inner or 2 * inner, hidden]}. */
  static final int UP = 2;

  private static final Map<String, Class<? extends Attribute>> ATTRIBUTES =
      Map.of(
          TOP_K,
          Attribute.OfInt.class,
          NORMALISED,
          Attribute.OfInt.class,
          SPARSE_MIXER,
          Attribute.OfInt.class,
          "activation_alpha",
          Attribute.OfFloat.class,
          "activation_beta",
          Attribute.OfFloat.class,
          "activation_type",
          Attribute.OfText.class,
          "swiglu_fusion",
          Attribute.OfInt.class,
          "swiglu_limit",
          Attribute.OfFloat.class);

  private static final FusedSignature PLAIN = new FusedSignature("MoE", 8, Set.of(), Map.of());
  private static final FusedSignature QUANTISED =
      new FusedSignature(
          "QMoE",
          21,
          Set.of(WEIGHTS, 19, 20),
          Map.of(
              BITS,
              Attribute.OfInt.class,
              "block_size",
              Attribute.OfInt.class,
              "quant_type",
              Attribute.OfText.class,
              "weights_prepacked",
              Attribute.OfInt.class));

  FusedSignature {
    ofNoExpert = Set.copyOf(ofNoExpert);
    attributes = Map.copyOf(attributes);
  }

  /** The signature of a node's operator, if it is a fused one. */
  static Optional<FusedSignature> of(Node node) {
    return node.domain().equals(DOMAIN)
        ? Stream.of(PLAIN, QUANTISED).filter(s -> s.operator.equals(node.opType())).findFirst()
        : Optional.empty();
  }

  boolean isQuantised() {
    return equals(QUANTISED);
  }

  /** Why a node is not understood; empty if all of it is known. */
  Optional<String> unknown(Node node) {
    Optional<String> attribute =
        node.attributes().entrySet().stream()
            .flatMap(entry -> unknown(entry.getKey(), entry.getValue()).stream())
            .findFirst();
    if (attribute.isPresent()) {
      return attribute;
    }
    return IntStream.range(inputs, node.inputs().size())
        .filter(index -> node.given(index).isPresent())
        .mapToObj(
            index ->
                "%s has an input %d, '%s', which is not known"
                    .formatted(operator, index, node.input(index)))
        .findFirst();
  }

  private Optional<String> unknown(String name, Attribute value) {
    Class<? extends Attribute> wanted = ATTRIBUTES.getOrDefault(name, attributes.get(name));
    if (wanted == null) {
      return Optional.of("%s has the attribute '%s', which is not known".formatted(operator, name));
    }
    return wanted.isInstance(value)
        ? Optional.empty()
        : Optional.of("%s has the attribute '%s' = %s".formatted(operator, name, value));
  }

  /** The inputs of a node that hold something of each expert, its leading axis. */
  IntStream perExpert(Node node) {
    return IntStream.range(SCORES + 1, Math.min(inputs, node.inputs().size()))
        .filter(index -> !ofNoExpert.contains(index) && node.given(index).isPresent());
  }

  /** True for scales of activations, of which there may be one for all experts. */
  boolean mayBeShared(int input) {
    return isQuantised() && (input == 17 || input == 18);
  }

  /** What multiplies the experts' outputs, where it is not what they are chosen by; or empty. */
  String weights(Node node) {
    return isQuantised() ? node.input(WEIGHTS) : "";
  }

  /**
   * What the experts compute; empty where their weights are packed in an order of the runtime's
   * own.
   *
   * @param dims the shape of each input that holds something of each expert
   */
  Optional<Ffn> ffn(Node node, Map<Integer, List<Long>> dims) {
    int down = down();
    int third = 2 * down - UP;
    boolean isReadable =
        node.intAttribute("weights_prepacked", 0) == 0
            && Stream.of(UP, down).allMatch(at -> dims.getOrDefault(at, List.of()).size() == 3);
    if (!isReadable) {
      return Optional.empty();
    }
    boolean isFused = node.intAttribute("swiglu_fusion", 0) != 0;
    int width = dims.get(UP).get(1).intValue();
    Projection first = projection(node, dims, UP);
    boolean isGated = dims.containsKey(third);
    return Optional.of(
        new Ffn(
            isFused ? fused(node) : isGated ? Ffn.Kind.GATED : Ffn.Kind.PLAIN,
            activation(node),
            isFused ? width / 2 : width,
            Optional.empty(),
            isGated ? Optional.of(first) : Optional.empty(),
            isGated ? projection(node, dims, third) : first,
            projection(node, dims, down)));
  }

  /** The input of the last weights: scales lie beside weights that are quantised. */
  int down() {
    return isQuantised() ? UP + 3 : UP + 2;
  }

  private Projection projection(Node node, Map<Integer, List<Long>> dims, int weight) {
    return new Projection(
        node.output(),
        node.input(weight),
        2,
        1,
        dims.get(weight).get(1).intValue(),
        node.given(weight + (isQuantised() ? 2 : 1)));
  }

  private static Ffn.Kind fused(Node node) {
    return node.intAttribute("swiglu_fusion", 0) == 1
        ? Ffn.Kind.INTERLEAVED
        : Ffn.Kind.CONCATENATED;
  }

  /** The operator's own name of its activation. */
  static String activationType(Node node) {
    return node.attributes().get("activation_type") instanceof Attribute.OfText text
        ? text.value()
        : "relu";
  }

  private static String activation(Node node) {
    String type = activationType(node);
    boolean isScaled =
        node.attributes().get("activation_alpha") instanceof Attribute.OfFloat alpha
            && alpha.value() != 1;
    return type.equals("swiglu") ? (isScaled ? "quick-gelu" : "silu") : type;
  }
}
