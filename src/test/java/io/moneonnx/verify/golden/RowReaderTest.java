package io.moneonnx.verify.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.data.Batch;
import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Figures of rows, as docs/golden.md defines them. */
final class RowReaderTest {
  private static final Tensor IDS = Tensor.of(List.of(2L, 3L), 1L, 2, 3, 4, 5, 6);
  private static final Optional<TokenGrid> TWO_OF_THREE =
      TokenGrid.of(Batch.of(Map.of("input_ids", IDS)), Optional.of("input_ids"));

  private static OutputRows rows(long... dims) {
    return OutputRows.of(
        IntStream.range(0, dims.length).mapToObj(i -> dims[i]).toList(), TWO_OF_THREE);
  }

  @Test
  void positionsAreFoundByTheirSizes() {
    assertThat(rows(2, 3, 10)).isEqualTo(new OutputRows(2, 1, 3, 10, true));
    assertThat(rows(2, 3)).isEqualTo(new OutputRows(2, 1, 3, 1, true));
    assertThat(rows(6, 10)).isEqualTo(new OutputRows(2, 1, 3, 10, true));
    assertThat(rows(2, 4, 3, 5)).isEqualTo(new OutputRows(2, 4, 3, 5, true));
  }

  @Test
  void whatHasNoPositionsIsCutAlongItsLeadingAxisOrNotAtAll() {
    assertThat(rows(2, 100)).isEqualTo(new OutputRows(1, 1, 2, 100, false));
    assertThat(rows(5, 4)).isEqualTo(new OutputRows(1, 1, 1, 20, false));
    assertThat(rows(7)).isEqualTo(new OutputRows(1, 1, 1, 7, false));
    assertThat(rows()).isEqualTo(new OutputRows(1, 1, 1, 1, false));
    assertThat(rows(0, 4).count()).isZero();
    assertThat(rows(2, 3, 0).count()).isZero();
  }

  @Test
  void headsOfAPositionAreOneRow() {
    OutputRows cache = rows(2, 4, 3, 5);

    assertThat(cache.index(4, 0)).isEqualTo(((1 * 4 + 0) * 3 + 1) * 5);
    assertThat(cache.index(4, 13)).isEqualTo(((1 * 4 + 2) * 3 + 1) * 5 + 3);
  }

  /** The expected figures were computed in Python after docs/golden.md. */
  @Test
  void figuresAreWhatIsWrittenDownOfThem() {
    float[] y = new float[2 * 100];
    for (int i = 0; i < y.length; i++) {
      y[i] = i % 7 - 2.5f;
    }
    List<RowSketch> rows = new RowReader(Tensor.of(List.of(2L, 100L), y), rows(2, 100)).all();

    RowSketch second = rows.get(1);
    assertThat(second.rms()).isCloseTo(2.0420578f, within(1e-6f));
    assertThat(second.first()).isCloseTo(-0.3f, within(1e-6f));
    assertThat(second.second()).isCloseTo(1.1f, within(1e-6f));
    assertThat(second.largest()).isEqualTo(3.5f);
    assertThat(second.largestAt()).isEqualTo(4);
    assertThat(second.drawn()).isEqualTo(3.5f);
    assertThat(second.notFinite()).isZero();
  }

  @Test
  void whatIsNotFiniteCountsAsNothing() {
    Tensor odd = Tensor.of(List.of(1L, 4L), 3f, Float.NaN, Float.POSITIVE_INFINITY, 4);
    RowSketch row = new RowReader(odd, new OutputRows(1, 1, 1, 4, false)).all().get(0);

    assertThat(row.rms()).isEqualTo(2.5f);
    assertThat(row.largest()).isEqualTo(4);
    assertThat(row.notFinite()).isNotZero();
  }
}
