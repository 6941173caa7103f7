package io.moneonnx.verify;

import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Choice;
import io.moneonnx.moe.MadeChoices;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.RoutingWeights;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/** Synthetic choices, so that experts that no data reach are proved too. */
final class EveryExpert {
  private static final long SEED = 1;

  private EveryExpert() {}

  /** Tokens that one run needs so that every expert is chosen. */
  static int tokens(MoeBlock block) {
    return (block.experts() + block.topK() - 1) / block.topK();
  }

  /** Elements of the routing decision of a run whose tokens reach every expert. */
  static long elements(MoeBlock block) {
    return block.routing().choice().elements(tokens(block), block.topK(), block.experts());
  }

  /**
   * The values at a block's border, with experts chosen in turn and random routing weights.
   *
   * @param experts those that can be chosen
   */
  static Map<String, Tensor> chosen(
      MoeBlock block, List<Integer> experts, Map<String, Tensor> values) {
    Random random = new Random(SEED);
    Map<String, Tensor> changed = new HashMap<>(values);
    RoutingWeights routingWeights = block.routingWeights();
    Choice choice = block.routing().choice();
    if (isWeighted(block, values)) {
      MadeChoices made =
          new MadeChoices(
              experts, block.topK(), block.experts(), slot -> 0.1f + random.nextFloat());
      changed.put(choice.value(), choice.made(made, values.get(choice.value())));
      changed.put(
          routingWeights.value(), routingWeights.made(made, values.get(routingWeights.value())));
    }
    return changed;
  }

  /**
   * The same choices in as many runs as a token chooses experts: in each, one routing weight of a
   * token is 1 and the others are 0 or next to it, so that its row of the routed output is what one
   * expert puts out. Empty where the graph has no routing weights in numbers.
   */
  static List<Map<String, Tensor>> alone(
      MoeBlock block, List<Integer> experts, Map<String, Tensor> values) {
    Map<String, Tensor> inTurn = chosen(block, experts, values);
    return isWeighted(block, values)
        ? IntStream.range(0, block.topK())
            .mapToObj(slot -> alone(block, experts, slot, inTurn))
            .toList()
        : List.of();
  }

  private static Map<String, Tensor> alone(
      MoeBlock block, List<Integer> experts, int alone, Map<String, Tensor> inTurn) {
    Map<String, Tensor> changed = new HashMap<>(inTurn);
    RoutingWeights routingWeights = block.routingWeights();
    MadeChoices made =
        new MadeChoices(
            experts,
            block.topK(),
            block.experts(),
            slot -> routingWeights.weight(slot % block.topK() == alone));
    changed.put(
        routingWeights.value(), routingWeights.made(made, inTurn.get(routingWeights.value())));
    return changed;
  }

  private static boolean isWeighted(MoeBlock block, Map<String, Tensor> values) {
    return values.get(block.routingWeights().value()).type().isFloating();
  }
}
