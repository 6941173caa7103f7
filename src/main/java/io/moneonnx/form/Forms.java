package io.moneonnx.form;

import io.moneonnx.moe.Form;
import java.util.List;

/** Every form that blocks are looked for in. */
public final class Forms {
  private static final List<Form.Factory> ALL =
      List.of(
          SparseLoop::new,
          DenseLoop::new,
          DenseStack::new,
          StackedDense::new,
          GatheredWeights::new);

  private Forms() {}

  public static List<Form.Factory> all() {
    return ALL;
  }
}
