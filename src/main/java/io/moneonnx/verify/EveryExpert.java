package io.moneonnx.verify;

import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Choice;
import io.moneonnx.moe.Coefficients;
import io.moneonnx.moe.MoeBlock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/** Made-up choices, so that experts that no data reach are proved too. */
final class EveryExpert {
  private static final long SEED = 1;

  /** A score so far ahead of 1 that a softmax leaves next to nothing to others. */
  private static final float FAR = 30;

  private EveryExpert() {}

  /** Tokens that one run needs so that every expert is chosen. */
  static int tokens(MoeBlock block) {
    return (block.experts() + block.topK() - 1) / block.topK();
  }

  /**
   * The values at a block's border, with experts chosen in turn and random coefficients.
   *
   * @param experts those that can be chosen
   */
  static Map<String, Tensor> chosen(
      MoeBlock block, List<Integer> experts, Map<String, Tensor> values) {
    Random random = new Random(SEED);
    Map<String, Tensor> changed = new HashMap<>(values);
    Coefficients coefficients = block.coefficients();
    Tensor old = values.get(coefficients.value());
    if (!old.type().isFloating()) {
      return changed;
    }
    if (coefficients instanceof Coefficients.PerChoice) {
      changed.put(coefficients.value(), perChoice(old, random));
    } else {
      changed.put(coefficients.value(), perExpert(block, experts, old, random));
    }
    Choice choice = block.routing().choice();
    Tensor chosen = values.get(choice.value());
    if (!(choice instanceof Choice.Hidden)) {
      changed.put(choice.value(), inTurn(experts, chosen));
    } else if (!choice.value().equals(coefficients.value())) {
      changed.put(choice.value(), perExpert(block, experts, chosen, random));
    }
    return changed;
  }

  /**
   * The same choices in as many runs as a token chooses experts: in each, one coefficient of a
   * token is 1 and the others 0 or next to it, so that its row of the routed output is what one
   * expert puts out. Empty where the graph has no coefficients in numbers.
   */
  static List<Map<String, Tensor>> alone(
      MoeBlock block, List<Integer> experts, Map<String, Tensor> values) {
    Map<String, Tensor> inTurn = chosen(block, experts, values);
    String name = block.coefficients().value();
    if (!inTurn.get(name).type().isFloating()) {
      return List.of();
    }
    return IntStream.range(0, block.topK())
        .mapToObj(slot -> alone(block, experts, slot, inTurn))
        .toList();
  }

  private static Map<String, Tensor> alone(
      MoeBlock block, List<Integer> experts, int slot, Map<String, Tensor> inTurn) {
    Map<String, Tensor> changed = new HashMap<>(inTurn);
    Coefficients coefficients = block.coefficients();
    Tensor old = inTurn.get(coefficients.value());
    float[] values = old.toFloats();
    boolean isHidden = coefficients instanceof Coefficients.Hidden;
    boolean isPerChoice = coefficients instanceof Coefficients.PerChoice;
    int slots = isPerChoice ? values.length : values.length / block.experts() * block.topK();
    for (int i = 0; i < slots; i++) {
      int at =
          isPerChoice ? i : i / block.topK() * block.experts() + experts.get(i % experts.size());
      boolean isAlone = i % block.topK() == slot;
      values[at] = isHidden ? (isAlone ? FAR : 1) : (isAlone ? 1 : 0);
    }
    Tensor one = Tensor.of(old.type(), old.dims(), values);
    changed.put(coefficients.value(), one);
    return changed;
  }

  private static Tensor inTurn(List<Integer> experts, Tensor indices) {
    long[] ids = new long[Math.toIntExact(indices.elements())];
    for (int slot = 0; slot < ids.length; slot++) {
      ids[slot] = experts.get(slot % experts.size());
    }
    return Tensor.of(indices.dims(), ids);
  }

  private static Tensor perChoice(Tensor like, Random random) {
    float[] values = new float[Math.toIntExact(like.elements())];
    for (int slot = 0; slot < values.length; slot++) {
      values[slot] = 0.1f + random.nextFloat();
    }
    return Tensor.of(like.type(), like.dims(), values);
  }

  /** Positive for the experts that are chosen in turn, 0 for all others, or what never is. */
  private static Tensor perExpert(
      MoeBlock block, List<Integer> experts, Tensor like, Random random) {
    float[] values = new float[Math.toIntExact(like.elements())];
    if (block.coefficients() instanceof Coefficients.Hidden) {
      for (int i = 0; i < values.length; i++) {
        values[i] = experts.contains(i % block.experts()) ? 0 : Float.NEGATIVE_INFINITY;
      }
    }
    int slots = values.length / block.experts() * block.topK();
    for (int slot = 0; slot < slots; slot++) {
      int token = slot / block.topK();
      int expert = experts.get(slot % experts.size());
      values[token * block.experts() + expert] = 0.1f + random.nextFloat();
    }
    return Tensor.of(like.type(), like.dims(), values);
  }
}
