package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class FloatRowsTest {
  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16"})
  void readsEveryFloatingType(ElementType type) {
    FloatRows rows = new FloatRows(Tensor.of(type, List.of(2L, 3L), 1, 2, 3, -4, 0.5f, 6), 3);

    assertThat(rows.count()).isEqualTo(2);
    assertThat(rows.row(0)).containsExactly(1, 2, 3);
    assertThat(rows.row(1)).containsExactly(-4, 0.5, 6);
  }
}
