package io.moneonnx.verify.golden;

import static io.moneonnx.verify.golden.Recordings.check;
import static io.moneonnx.verify.golden.Recordings.fed;
import static io.moneonnx.verify.golden.Recordings.record;
import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.data.Batch;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.verify.golden.GoldenReport.Deviation;
import io.moneonnx.verify.golden.GoldenReport.Flip;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Three experts, of which the second of four positions chooses the first or the second. */
final class FlippedChoicesTest {
  private static final Batch FOUR =
      fed(Map.of("x", Tensor.of(List.of(4L, 4L), 0f, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)));

  /** The first expert is ahead by as much where a token is {@code (1, 0, 0, 0)}. */
  private static TinyMoe aheadBy(String much) {
    float first = 0.5f + Float.parseFloat(much);
    return Spelling.DYNAMO
        .of(3, 1, 4)
        .withRouter(
            new float[] {first, 1, 0, 0}, new float[] {0.5f, 0, 1, 0}, new float[] {-2, -1, -1, 0});
  }

  private static final Golden GOLDEN = record(aheadBy("1e-5").model(), FOUR);

  @Test
  void whatStandsBehindANearTieIsLeftOut() {
    GoldenReport report = check(GOLDEN, aheadBy("-1e-5").model());

    assertThat(report.holds()).isTrue();
    assertThat(report).returns(3L, GoldenReport::leftOut).returns(4L, GoldenReport::positions);
    assertThat(report.outputs().get(0).rows()).isEqualTo(1);
    assertThat(report.flips())
        .singleElement()
        .returns("position 1 of sequence 0 of book.txt", Flip::place)
        .satisfies(flip -> assertThat(flip.gap()).isBetween(1e-6, 1e-5));
  }

  @Test
  void whatStandsBeforeANearTieIsCompared() {
    Model turned = aheadBy("-1e-5").model();
    Tensor down = turned.graph().constant("down0").orElseThrow();
    Model changed =
        TinyMoe.withInitializer(turned, "down0", Tensor.of(down.dims(), times(down, 1.01f)));
    GoldenReport report = check(GOLDEN, changed);

    assertThat(report.outputs().get(0).failure().map(Deviation::text).orElse(""))
        .startsWith("moved at position 0");
  }

  private static float[] times(Tensor tensor, float factor) {
    float[] values = tensor.toFloats();
    for (int i = 0; i < values.length; i++) {
      values[i] *= factor;
    }
    return values;
  }

  @Test
  void aChoiceOverAWideGapHasMoved() {
    GoldenReport report = check(GOLDEN, aheadBy("-0.1").model());

    assertThat(report.holds()).isFalse();
    assertThat(report.leftOut()).isZero();
    assertThat(report.flips()).singleElement().returns(false, Flip::isRounding);
    assertThat(report.outputs().get(0).rows()).isEqualTo(4);
  }

  @Test
  void nothingHoldsIfAllOfItStandsBehindANearTie() {
    Batch tieFirst = fed(Map.of("x", Tensor.of(List.of(2L, 4L), 1f, 0, 0, 0, 0, 1, 0, 0)));
    GoldenReport report =
        check(record(aheadBy("1e-5").model(), tieFirst), aheadBy("-1e-5").model());

    assertThat(report.outputs().get(0).failure().map(Deviation::text).orElse(""))
        .isEqualTo("could not be compared: all of it stands behind a choice of other experts");
    assertThat(report.holds()).isFalse();
  }

  @Test
  void otherRoutersThanRecordedAreSaidAndNotCompared() {
    TinyMoe more = Spelling.DYNAMO.of(4, 1, 4);

    assertThat(check(GOLDEN, more.model()).routing()).isEqualTo(GoldenReport.Routing.UNLIKE);
  }
}
