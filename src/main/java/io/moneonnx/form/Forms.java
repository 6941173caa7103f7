package io.moneonnx.form;

import io.moneonnx.moe.Form;
import io.moneonnx.moe.Target;
import java.util.List;

/** Every form that blocks are looked for in. */
public final class Forms {
  private Forms() {}

  /** As {@code target} computes them. */
  public static List<Form.Factory> all(Target target) {
    return List.of(
        SparseLoop::new,
        SlotBuffer::new,
        DenseLoop::new,
        DenseStack::new,
        StackedDense::new,
        GatheredWeights::new,
        SortedSegments::new,
        graph -> new FusedOperator(graph, target),
        TracedConstants::new);
  }
}
