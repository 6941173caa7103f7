package io.moneonnx.verify.golden;

import static io.moneonnx.verify.golden.Recordings.check;
import static io.moneonnx.verify.golden.Recordings.fed;
import static io.moneonnx.verify.golden.Recordings.model;
import static io.moneonnx.verify.golden.Recordings.record;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.data.Batch;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.verify.golden.GoldenReport.Deviation;
import io.moneonnx.verify.golden.GoldenReport.OutputCheck;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What is seen of a model that changed, and what is not. */
final class GoldenCheckTest {
  private static final Batch FOUR =
      fed(Map.of("x", Tensor.of(List.of(1L, 4L, 2L), 1f, 2, -3, 4, 0, 5, 6, -7)));

  private static Model timing(String... factors) {
    return model(
        "times (float[B, S, 2] x) => (float[B, S, 2] y) <float[%d] w = {%s}> { y = Mul (x, w) }"
            .formatted(factors.length, String.join(", ", factors)));
  }

  private static OutputCheck only(GoldenReport report) {
    assertThat(report.outputs()).hasSize(1);
    return report.outputs().get(0);
  }

  private static String failure(OutputCheck output) {
    return output.failure().map(Deviation::text).orElse("none");
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "1.00009, 0.9", "1.00011, 1.1", "0.99, 100"})
  void whatIsScaledMovesByAsMuch(String factor, double worst) {
    OutputCheck output = only(check(record(timing("1"), FOUR), timing(factor)));

    // A largest element may be up to sqrt(2) times the root mean square of two.
    assertThat(output.worst()).isBetween(worst * 0.99, worst * 1.42);
    assertThat(output.failure().isPresent()).isEqualTo(output.worst() > 1);
  }

  @Test
  void theFirstPositionThatMovedIsNamed() {
    Model changed =
        model(
            """
            add (float[B, S, 2] x) => (float[B, S, 2] y) <float[1, 4, 2] w = {0, 0, 0, 0, 0.5, 0, 0, 0.5}>
            { y = Add (x, w) }
            """);
    OutputCheck output = only(check(record(timing("1"), FOUR), changed));

    assertThat(failure(output)).startsWith("moved at position 2 of sequence 0 of book.txt: ");
    assertThat(output).returns(2L, OutputCheck::moved).returns(4L, OutputCheck::rows);
  }

  @Test
  void anElementNearZeroMovesAsFarAsItsRowMay() {
    Model slanted =
        model(
            """
            add (float[B, S, 2] x) => (float[B, S, 2] y) <float[2] w = {0.0001, 0}>
            { y = Add (x, w) }
            """);

    assertThat(check(record(timing("1"), FOUR), slanted).holds()).isTrue();
  }

  @Test
  void tolerancesThatAreGivenStandInForTheDefault() {
    Golden golden = record(timing("1"), FOUR);

    assertThat(check(golden, timing("1.01"), new Tolerance(OptionalDouble.of(0.02), 0)).holds())
        .isTrue();
    assertThat(check(golden, timing("1.01"), new Tolerance(OptionalDouble.of(0), 0.1)).holds())
        .isTrue();
    assertThat(check(golden, timing("1.00001"), new Tolerance(OptionalDouble.of(0), 0)).holds())
        .isFalse();
    assertThat(check(golden, timing("1"), new Tolerance(OptionalDouble.of(0), 0)).holds()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"FLOAT16, 1e-2", "BFLOAT16, 5e-2", "FLOAT, 1e-4"})
  void toleranceFollowsTheCoarsestTypeOnTheWay(ElementType type, double relative) {
    Model coarse =
        model(
            """
            coarse (float[B, S, 2] x) => (float[B, S, 2] y)
            { rough = Cast <to = %d> (x)
              y = Cast <to = 1> (rough) }
            """
                .formatted(type.code()));

    assertThat(only(check(record(coarse, FOUR), coarse)).relative()).isEqualTo(relative);
    assertThat(only(check(record(coarse, FOUR), timing("1"))).relative()).isEqualTo(relative);
  }

  @Test
  void integersMustBeTheSame() {
    String text =
        """
        best (float[B, S, 2] x) => (int64[B, S] y) <float[2] w = {1, %s}>
        { z = Mul (x, w)
          y = ArgMax <axis = -1, keepdims = 0> (z) }
        """;
    Golden golden = record(model(text.formatted("1")), FOUR);

    assertThat(check(golden, model(text.formatted("1.01"))).holds()).isTrue();
    assertThat(failure(only(check(golden, model(text.formatted("-1"))))))
        .isEqualTo("has other elements than recorded, for sequence 0 of book.txt");
  }

  @Test
  void nothingIsComparedWhereThereIsNothing() {
    Model half =
        model(
            """
            none (float[B, S, 2] x) => (float[B, S, W] y) <int64[1] zero = {0}, int64[1] two = {2}>
            { y = Slice (x, zero, zero, two) }
            """);
    GoldenReport report = check(record(half, FOUR), half);

    assertThat(report.holds()).isTrue();
    assertThat(only(report).rows()).isZero();
  }

  @Test
  void nanIsRightWhereItWasRecorded() {
    String text =
        """
        root (float[B, S, 2] x) => (float[B, S, 2] y) <float[2] w = {0, %s}>
        { z = Add (x, w)
          y = Sqrt (z) }
        """;
    Golden golden = record(model(text.formatted("0")), FOUR);

    assertThat(check(golden, model(text.formatted("0"))).holds()).isTrue();
    assertThat(failure(only(check(golden, model(text.formatted("8"))))))
        .startsWith("moved at position 0");
    assertThat(failure(only(check(golden, model(text.formatted("-4.5"))))))
        .isEqualTo(
            "has NaN or infinity other than recorded at position 0 of sequence 0 of book.txt");
  }

  @Test
  void outputsThatAreGoneOrNewAreNamed() {
    Model renamed = model("times (float[B, S, 2] x) => (float[B, S, 2] z) { z = Identity (x) }");
    GoldenReport report = check(record(timing("1"), FOUR), renamed);

    assertThat(report.holds()).isFalse();
    assertThat(report.outputs())
        .extracting(OutputCheck::name, GoldenCheckTest::failure)
        .containsExactly(
            tuple("y", "is missing; the model outputs 'z'"), tuple("z", "was not recorded"));
  }

  @Test
  void anotherTypeOrShapeIsNamed() {
    Golden golden = record(timing("1"), FOUR);
    Model wide = model("wide (float[B, S, 2] x) => (double[B, S, 2] y) { y = Cast <to = 11> (x) }");
    Model flat =
        model(
            """
            flat (float[B, S, 2] x) => (float[N] y) <int64[1] all = {-1}> { y = Reshape (x, all) }
            """);

    assertThat(failure(only(check(golden, wide))))
        .isEqualTo("is double[1, 4, 2], recorded float[1, 4, 2], for sequence 0 of book.txt");
    assertThat(failure(only(check(golden, flat))))
        .isEqualTo("is float[8], recorded float[1, 4, 2], for sequence 0 of book.txt");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "float[B, S, 2] z | 'z' was not recorded",
        "float[B, S, 3] x | 'x' takes float[B, S, 3], recorded float[1, 4, 2]",
        "float[B, 2] x | 'x' takes float[B, 2], recorded float[1, 4, 2]",
        "double[B, S, 2] x | 'x' takes double[B, S, 2], recorded float[1, 4, 2]"
      })
  void inputsThatDoNotTakeWhatWasRecordedAreNamed(String input, String wrong) {
    String name = input.substring(input.length() - 1);
    Model other =
        model("other (%s) => (float[B, S, 2] y) { y = Cast <to = 1> (%s) }".formatted(input, name));
    GoldenReport report = check(record(timing("1"), FOUR), other);

    assertThat(report.holds()).isFalse();
    assertThat(report.inputs()).contains(wrong);
  }

  @Test
  void positionsThatTheMaskHidesAreNotCompared() {
    String text =
        """
        masked (float[B, S, 2] x, int64[B, S] attention_mask) => (float[B, S, 2] y)
        <float[1, 4, 1] w = {%s, 0, 0, %s}>
        { y = Add (x, w) }
        """;
    Batch run =
        fed(
            Map.of(
                "x", FOUR.feeds().get("x"),
                "attention_mask", Tensor.of(List.of(1L, 4L), 0L, 1, 1, 1)));
    Golden golden = record(model(text.formatted("0", "0")), run);

    GoldenReport hidden = check(golden, model(text.formatted("1", "0")));
    assertThat(hidden.holds()).isTrue();
    assertThat(only(hidden).rows()).isEqualTo(3);
    assertThat(check(golden, model(text.formatted("0", "1"))).holds()).isFalse();
  }

  @ParameterizedTest
  @EnumSource(Spelling.class)
  void routersOfEverySpellingAreWatched(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 4);
    Golden golden = record(tiny.model(), fed(Map.of("x", tiny.tokens(6, 1))));

    assertThat(golden.routers()).hasSize(1);
    assertThat(golden.runs().get(0).choices().get(0)).hasSize(6);
    GoldenReport report = check(golden, tiny.model());
    assertThat(report.holds()).isTrue();
    assertThat(report)
        .returns(6L, GoldenReport::positions)
        .returns(GoldenReport.Routing.COMPARED, GoldenReport::routing);
  }
}
