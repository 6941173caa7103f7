package io.moneonnx.passes;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.CanonicalText;
import io.moneonnx.graph.Graph;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SegmentTest {
  private static Graph graph(String inputs) {
    return CanonicalText.parse(
        """
        cut (float[S, 4] rows, int64[1] start, int64[1] end) => (float[N, 4] segment)
        <int64[1] zero = {0}, int64[1] one = {1}, int64[1] two = {2}>
        {
          segment = Slice (rows, start, end%s)
        }
        """
            .formatted(inputs));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ", zero", ", zero, one"})
  void findsRowsBetweenTwoBounds(String inputs) {
    assertThat(Segment.findAll(graph(inputs)))
        .containsExactly(new SlicedSegment("rows", "start", "end", "segment"));
  }

  @ParameterizedTest
  @ValueSource(strings = {", one", ", one, one", ", zero, two"})
  void takesNoColumnsAndNoEverySecondRow(String inputs) {
    assertThat(Segment.findAll(graph(inputs))).isEmpty();
  }
}
