package io.moneonnx.verify;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import java.util.HashMap;
import java.util.List;
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
    Tensor indices = values.get(block.routing().indices());
    long[] ids = new long[Math.toIntExact(indices.elements())];
    float[] coefficients = new float[ids.length];
    Random random = new Random(SEED);
    for (int slot = 0; slot < ids.length; slot++) {
      ids[slot] = slot % block.experts();
      coefficients[slot] = 0.1f + random.nextFloat();
    }
    Map<String, Tensor> changed = new HashMap<>(values);
    changed.put(block.routing().indices(), Tensor.of(indices.dims(), ids));
    List<Long> dims = values.get(block.coefficients()).dims();
    if (values.get(block.coefficients()).type() == ElementType.FLOAT) {
      changed.put(block.coefficients(), Tensor.of(dims, coefficients));
    }
    return changed;
  }
}
