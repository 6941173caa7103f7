package io.moneonnx.form;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Choice;
import io.moneonnx.moe.Claim;
import io.moneonnx.moe.Form;
import io.moneonnx.moe.Recognition;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.RoutingWeights;
import io.moneonnx.moe.Target;
import io.moneonnx.moe.WeightView;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * One operator that chooses the experts, computes them and adds them up.
 *
 * <pre>{@code
 * y = com.microsoft.MoE <k> (x, logits [tokens, experts], up [experts, ...], ...)
 * }</pre>
 *
 * What differs between the execution providers that run it is read as {@code target} does it, and
 * so is which of two equal logits wins.
 */
final class FusedOperator implements Form {
  private final Graph graph;
  private final Target target;

  FusedOperator(Graph graph, Target target) {
    this.graph = graph;
    this.target = target;
  }

  @Override
  public String name() {
    return "fused-operator";
  }

  @Override
  public Recognition recognise(Routing routing) {
    if (!(routing.choice() instanceof Choice.Hidden hidden)) {
      return new Recognition.NotThisForm("the routing indices are no operator's own");
    }
    List<Node> nodes =
        graph.consumers(hidden.scores()).stream()
            .filter(node -> FusedSignature.of(node).isPresent())
            .filter(node -> node.input(FusedSignature.SCORES).equals(hidden.scores()))
            .toList();
    if (nodes.isEmpty()) {
      return new Recognition.NotThisForm("the scores go to no operator that chooses within");
    } else if (nodes.size() > 1) {
      return new Recognition.Refused(
          "%d operators choose by the same scores '%s'; expected one"
              .formatted(nodes.size(), hidden.scores()));
    }
    Node node = nodes.get(0);
    FusedSignature signature = FusedSignature.of(node).orElseThrow();
    FusedRouting inside = FusedRouting.of(node, signature, target);
    return Recognition.unless(
        objection(node, signature, routing).or(() -> inside.objection(routing)),
        () ->
            claim(node, signature, inside, asTargetChooses(routing, hidden).named(inside.kind())));
  }

  private Routing asTargetChooses(Routing routing, Choice.Hidden hidden) {
    return routing.with(new Choice.Hidden(hidden.scores(), target.tieRule()));
  }

  private Optional<String> objection(Node node, FusedSignature signature, Routing routing) {
    if (routing.topK() < 1 || routing.topK() > routing.experts()) {
      return Optional.of(
          "%s chooses %d of %d experts"
              .formatted(node.opType(), routing.topK(), routing.experts()));
    }
    return signature
        .unknown(node)
        .or(
            () ->
                signature
                    .perExpert(node)
                    .mapToObj(index -> notPerExpert(node, signature, index, routing))
                    .flatMap(Optional::stream)
                    .findFirst())
        .or(() -> otherWidth(node, signature, routing));
  }

  private Optional<String> notPerExpert(
      Node node, FusedSignature signature, int index, Routing routing) {
    String name = node.input(index);
    Optional<WeightView> weight = WeightView.of(graph, name);
    if (weight.isEmpty()) {
      return Optional.of(
          "input %d of %s, '%s', is not an initializer, nor made of some by laying them out"
              .formatted(index, node.opType(), name));
    }
    List<Long> dims = weight.get().dims();
    if (signature.mayBeShared(index) && Tensor.elements(dims) == 1) {
      return Optional.empty();
    }
    return isOfEach(weight.get(), routing)
        ? weight.get().objection(0, routing.experts())
        : Optional.of(
            "input %d of %s, '%s', is %s; expected %d experts in front"
                .formatted(index, node.opType(), name, dims, routing.experts()));
  }

  private static boolean isOfEach(WeightView weight, Routing routing) {
    return !weight.dims().isEmpty() && weight.dims().get(0) == routing.experts();
  }

  /**
   * Experts put out what they take, and their last weights read what the first ones make, or half
   * of it. Each weight is packed by its own width in bits.
   */
  private Optional<String> otherWidth(Node node, FusedSignature signature, Routing routing) {
    OptionalInt inUp = signature.numbersInElement(node, FusedSignature.UP);
    OptionalInt inDown = signature.numbersInElement(node, signature.down());
    if (inUp.isEmpty() || inDown.isEmpty()) {
      return Optional.empty();
    }
    List<Long> up = unpacked(node, FusedSignature.UP, inUp.getAsInt());
    List<Long> down = unpacked(node, signature.down(), inDown.getAsInt());
    boolean isKnown = up.size() == 3 && down.size() == 3 && down.get(1).equals(up.get(2));
    return isKnown && (up.get(1).equals(down.get(2)) || up.get(1) == 2 * down.get(2))
        ? Optional.empty()
        : Optional.of(
            "the last weights of the experts of %s are %s behind first ones %s; expected [%d, %d, inner]"
                .formatted(node.opType(), down, up, routing.experts(), up.get(up.size() - 1)));
  }

  private List<Long> unpacked(Node node, int weight, int numbersInElement) {
    List<Long> dims =
        new ArrayList<>(WeightView.of(graph, node.input(weight)).orElseThrow().dims());
    dims.set(dims.size() - 1, dims.get(dims.size() - 1) * numbersInElement);
    return dims;
  }

  private Recognition claim(
      Node node, FusedSignature signature, FusedRouting inside, Routing routing) {
    SortedMap<Integer, WeightView> perExpert = new TreeMap<>();
    signature
        .perExpert(node)
        .forEach(
            index -> perExpert.put(index, WeightView.of(graph, node.input(index)).orElseThrow()));
    perExpert.values().removeIf(weight -> !isOfEach(weight, routing));
    Set<String> weights =
        perExpert.values().stream()
            .flatMap(weight -> weight.constants(0).stream())
            .collect(Collectors.toSet());
    String border =
        inside instanceof FusedRouting.Weights given ? given.value() : routing.choice().scores();
    RoutingWeights routingWeights = new RoutingWeights.Hidden(border, inside);
    FusedLayout layout = new FusedLayout(node, perExpert, routing, inside, target);
    return new Recognition.Recognised(
        Claim.of(
            graph,
            routing,
            routingWeights,
            node.output(),
            weights,
            layout.ffn().stream().toList(),
            layout),
        warnings(node, signature));
  }

  private List<String> warnings(Node node, FusedSignature signature) {
    List<String> warnings = new ArrayList<>();
    boolean isPlain = node.intAttribute(FusedSignature.NORMALISED, 0) == 0;
    if (target == Target.CPU && !signature.isQuantised() && isPlain) {
      warnings.add(
          ("'%s' does not renormalise (%s = 0): on the CPU, ONNX Runtime makes zeros of it where"
                  + " nothing reads its input later; the rewritten model does better than the"
                  + " original there")
              .formatted(node.label(), FusedSignature.NORMALISED));
    }
    if (target == Target.CPU && signature.hasBits(node, 8)) {
      warnings.add(
          ("'%s': the weights of 8 bits that the onnxruntime-genai builder makes for the CPU are"
                  + " known to be wrong; they are taken as they are")
              .formatted(node.label()));
    }
    return warnings;
  }
}
