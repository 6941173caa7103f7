package io.moneonnx.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ElementsTest {
  @ParameterizedTest
  @EnumSource(names = {"INT8", "INT16", "INT32", "UINT8", "UINT16", "UINT32", "UINT64"})
  void integersThatFitBecomeAnyWidth(ElementType type) {
    assertThat(Elements.convert(Tensor.vector(0, 1, 127), type))
        .hasValueSatisfying(
            converted -> {
              assertThat(converted.type()).isEqualTo(type);
              assertThat(converted.toLongs()).containsExactly(0, 1, 127);
            });
  }

  @Test
  void integersThatDoNotFitAreNotConverted() {
    assertThat(Elements.convert(Tensor.vector(1L << 31), ElementType.INT32)).isEmpty();
    assertThat(Elements.convert(Tensor.vector(-1), ElementType.UINT64)).isEmpty();
  }

  @Test
  void onlyZeroAndOneBecomeBooleans() {
    assertThat(Elements.convert(Tensor.vector(0, 1), ElementType.BOOL)).isPresent();
    assertThat(Elements.convert(Tensor.vector(2), ElementType.BOOL)).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"DOUBLE", "FLOAT16", "BFLOAT16"})
  void floatsThatFitBecomeAnyWidth(ElementType type) {
    Tensor.Inline floats = Tensor.of(List.of(4L), 0f, -1.5f, Float.NaN, Float.POSITIVE_INFINITY);
    Tensor.Inline converted = Elements.convert(floats, type).orElseThrow();
    assertThat(Elements.convert(converted, ElementType.FLOAT)).contains(floats);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT16", "BFLOAT16"})
  void floatsThatWouldBeRoundedAreNotConverted(ElementType type) {
    assertThat(Elements.convert(Tensor.of(List.of(1L), 0.1f), type)).isEmpty();
  }

  @Test
  void integersNeverBecomeFloats() {
    assertThat(Elements.convert(Tensor.vector(1), ElementType.FLOAT)).isEmpty();
    assertThat(Elements.convert(Tensor.of(List.of(1L), 1f), ElementType.INT64)).isEmpty();
  }
}
