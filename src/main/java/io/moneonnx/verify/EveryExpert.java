package io.moneonnx.verify;

import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Choice;
import io.moneonnx.moe.Coefficients;
import io.moneonnx.moe.MoeBlock;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/** Made-up choices, so that experts that no data reach are proved too. */
final class EveryExpert {
  private static final long SEED = 1;

  private EveryExpert() {}

  /** Tokens that one run needs so that every expert is chosen. */
  static int tokens(MoeBlock block) {
    return (block.experts() + block.topK() - 1) / block.topK();
  }

  /** The values at a block's border, with experts chosen in turn and random coefficients. */
  static Map<String, Tensor> chosen(MoeBlock block, Map<String, Tensor> values) {
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
      changed.put(coefficients.value(), perExpert(block, old, random));
    }
    Choice choice = block.routing().choice();
    Tensor chosen = values.get(choice.value());
    if (!(choice instanceof Choice.Hidden)) {
      changed.put(choice.value(), inTurn(block, chosen));
    } else if (!choice.value().equals(coefficients.value())) {
      changed.put(choice.value(), perExpert(block, chosen, random));
    }
    return changed;
  }

  private static Tensor inTurn(MoeBlock block, Tensor indices) {
    long[] ids = new long[Math.toIntExact(indices.elements())];
    for (int slot = 0; slot < ids.length; slot++) {
      ids[slot] = slot % block.experts();
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

  /** Positive for the experts that are chosen in turn, 0 for all others. */
  private static Tensor perExpert(MoeBlock block, Tensor like, Random random) {
    float[] values = new float[Math.toIntExact(like.elements())];
    int slots = values.length / block.experts() * block.topK();
    for (int slot = 0; slot < slots; slot++) {
      int token = slot / block.topK();
      values[token * block.experts() + slot % block.experts()] = 0.1f + random.nextFloat();
    }
    return Tensor.of(like.type(), like.dims(), values);
  }
}
