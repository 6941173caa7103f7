package io.moneonnx.form;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Node;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.Ffn.Packed;
import io.moneonnx.moe.Ffn.Projection;
import io.moneonnx.moe.Target;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
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
  private static final String BITS = "expert_weight_bits";
  private static final Set<Integer> WIDTHS = Set.of(1, 2, 4, 8);
  private static final String BLOCK = "block_size";
  private static final String QUANTISATION = "quant_type";
  private static final String PREPACKED = "weights_prepacked";

  /** The zero points of the first weights of QMoE; those of the others are behind them. */
  private static final int ZEROS = 11;

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
              bitsOf(1),
              Attribute.OfInt.class,
              bitsOf(2),
              Attribute.OfInt.class,
              bitsOf(3),
              Attribute.OfInt.class,
              "accuracy_level",
              Attribute.OfInt.class,
              BLOCK,
              Attribute.OfInt.class,
              QUANTISATION,
              Attribute.OfText.class,
              PREPACKED,
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

  /** The attributes that are known. */
  Set<String> attributeNames() {
    return Stream.of(ATTRIBUTES, attributes)
        .flatMap(some -> some.keySet().stream())
        .collect(Collectors.toCollection(TreeSet::new));
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
   * @param target who runs it
   */
  Optional<Ffn> ffn(Node node, Map<Integer, List<Long>> dims, Target target) {
    int down = down();
    boolean isReadable =
        node.intAttribute(PREPACKED, 0) == 0
            && Stream.of(UP, down).allMatch(at -> dims.getOrDefault(at, List.of()).size() == 3);
    if (!isReadable) {
      return Optional.empty();
    }
    boolean isFused = node.intAttribute("swiglu_fusion", 0) != 0;
    int width = dims.get(UP).get(1).intValue();
    Projection first = projection(node, dims, UP, target);
    boolean isGated = dims.containsKey(third());
    return Optional.of(
        new Ffn(
            isFused ? fused(node) : isGated ? Ffn.Kind.GATED : Ffn.Kind.PLAIN,
            activation(node),
            isFused ? width / 2 : width,
            Optional.empty(),
            isGated ? Optional.of(first) : Optional.empty(),
            isGated ? projection(node, dims, third(), target) : first,
            projection(node, dims, down, target)));
  }

  /**
   * How many numbers an element of a weight's last axis holds, by the weight's own width in bits;
   * empty where the runtime packs them in an order of its own.
   */
  OptionalInt numbersInElement(Node node, int weight) {
    if (!isQuantised()) {
      return OptionalInt.of(1);
    }
    boolean isInteger =
        !(node.attributes().get(QUANTISATION) instanceof Attribute.OfText text)
            || text.value().equals("int");
    boolean isKnown = isInteger && node.intAttribute(PREPACKED, 0) == 0;
    return isKnown && WIDTHS.contains(bits(node, weight))
        ? OptionalInt.of(8 / bits(node, weight))
        : OptionalInt.empty();
  }

  /** True where a weight of this node has so many bits. */
  boolean hasBits(Node node, int bits) {
    return isQuantised()
        && Stream.of(UP, down(), third())
            .anyMatch(weight -> node.given(weight).isPresent() && bits(node, weight) == bits);
  }

  /** The bits of each number of a packed weight: its own, or those of all. */
  private int bits(Node node, int weight) {
    int number = 1 + (weight - UP) / (down() - UP);
    return (int) node.intAttribute(bitsOf(number), node.intAttribute(BITS, 4));
  }

  private static String bitsOf(int weight) {
    return "fc%d_%s".formatted(weight, BITS);
  }

  /** The input of the last weights: scales lie beside weights that are quantised. */
  int down() {
    return isQuantised() ? UP + 3 : UP + 2;
  }

  /** The input of the weights that are multiplied by what is activated, where they are apart. */
  private int third() {
    return 2 * down() - UP;
  }

  private Projection projection(
      Node node, Map<Integer, List<Long>> dims, int weight, Target target) {
    return new Projection(
        node.output(),
        node.input(weight),
        2,
        1,
        dims.get(weight).get(1).intValue(),
        node.given(weight + (isQuantised() ? 2 : 1)),
        packed(node, weight, target));
  }

  /**
   * How a weight is packed; empty where it is not, or in an order of the runtime's own, as it is by
   * default for all targets but the CPU.
   */
  private Optional<Packed> packed(Node node, int weight, Target target) {
    boolean isPlain = target == Target.CPU || node.intAttribute(PREPACKED, 1) == 0;
    boolean isRead = isPlain && isQuantised() && numbersInElement(node, weight).isPresent();
    int zeros = ZEROS + (weight - UP) / (down() - UP);
    return isRead
        ? Optional.of(
            new Packed(
                bits(node, weight),
                (int) node.intAttribute(BLOCK, 0),
                weight,
                weight + 1,
                node.given(zeros).isPresent() ? OptionalInt.of(zeros) : OptionalInt.empty()))
        : Optional.empty();
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
