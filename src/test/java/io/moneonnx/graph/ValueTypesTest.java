package io.moneonnx.graph;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Types of values follow from the operators that make them. */
final class ValueTypesTest {
  private static final String GRAPH =
      """
      types (float16[T, 4] x, int64[T] ids) => (float16[T] y)
      <float[4, 4] w, int64[1] k = {2}, float[1] scale = {2}, int64 three = {3}>
      {
        sum = Add (x, x)
        wide = Cast <to = 1> (sum)
        product = MatMul (wide, w)
        best, places = TopK (product, k)
        same = Equal (ids, three)
        either = Where (same, product, wide)
        size = Shape (x)
        zeros = ConstantOfShape <value = int64[1] {0}> (size)
        plain = ConstantOfShape (size)
        back = DequantizeLinear (zeros, scale)
        strange = Strange ()
        y = Neg (x)
      }
      """;

  @ParameterizedTest
  @CsvSource({
    "sum, FLOAT16",
    "wide, FLOAT",
    "w, FLOAT",
    "product, FLOAT",
    "best, FLOAT",
    "places, INT64",
    "same, BOOL",
    "either, FLOAT",
    "size, INT64",
    "zeros, INT64",
    "plain, FLOAT",
    "back, FLOAT",
    "y, FLOAT16",
  })
  void followFromTheOperator(String value, ElementType type) {
    assertThat(new ValueTypes(GraphText.parse(GRAPH)).of(value)).contains(type);
  }

  @ParameterizedTest
  @CsvSource({"strange", "absent"})
  void areUnknownWhereNothingTypedIsRead(String value) {
    assertThat(new ValueTypes(GraphText.parse(GRAPH)).of(value)).isEmpty();
  }
}
