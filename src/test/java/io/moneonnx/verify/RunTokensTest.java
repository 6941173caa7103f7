package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.data.UnmaskedTokens;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Two sequences of three tokens; padding hides the last of the first and the first of the second.
 */
final class RunTokensTest {
  private static final RunTokens PADDED = tokens(1, 1, 0, 0, 1, 1);
  private static final int HIDDEN_ROWS = 2;

  private static RunTokens tokens(long... mask) {
    List<Long> dims = List.of(2L, 3L);
    Map<String, Tensor> feeds =
        Map.of("input_ids", Tensor.of(dims, new long[6]), "attention_mask", Tensor.of(dims, mask));
    return new RunTokens(UnmaskedTokens.of(feeds, "input_ids"));
  }

  private static Tensor zeros(Long... dims) {
    List<Long> shape = List.of(dims);
    return Tensor.of(shape, new float[(int) Tensor.elements(shape)]);
  }

  /** How many of the numbers count: those that are 1 in one tensor and 2 in the other add 2. */
  private static double counted(RunTokens tokens, Long... dims) {
    Tensor shape = zeros(dims);
    float[] ones = new float[(int) shape.elements()];
    Arrays.fill(ones, 1);
    Tensor found = Tensor.of(shape.dims(), ones);
    return tokens.distance("y", found, found).squares();
  }

  @Test
  void everythingCountsWhereNothingIsHidden() {
    RunTokens all = tokens(1, 1, 1, 1, 1, 1);

    assertThat(counted(all, 2L, 3L, 5L)).isEqualTo(30);
    assertThat(counted(all, 7L)).isEqualTo(7);
    assertThat(counted(all)).isEqualTo(1);
    assertThat(counted(all, 2L, 0L, 5L)).isZero();
  }

  @Test
  void rowsOfHiddenTokensDoNotCount() {
    assertThat(counted(PADDED, 2L, 3L, 5L)).isEqualTo((6 - HIDDEN_ROWS) * 5);
    assertThat(counted(PADDED, 6L, 5L)).isEqualTo((6 - HIDDEN_ROWS) * 5);
    assertThat(counted(PADDED, 2L, 3L)).isEqualTo(6 - HIDDEN_ROWS);
  }

  @Test
  void keysOfHiddenTokensDoNotCountForAnyHead() {
    assertThat(counted(PADDED, 2L, 4L, 3L, 5L)).isEqualTo((6 - HIDDEN_ROWS) * 4 * 5);
    // one key of the past before them, in each sequence and head
    assertThat(counted(PADDED, 2L, 4L, 4L, 5L)).isEqualTo((8 - HIDDEN_ROWS) * 4 * 5);
  }

  @Test
  void allCountsOfWhatHasNoAxisOfTokens() {
    assertThat(counted(PADDED, 2L, 7L)).isEqualTo(14);
    assertThat(counted(PADDED, 5L)).isEqualTo(5);
  }

  @Test
  void itIsTheHiddenTokensThatAreLeftOut() {
    Tensor before = Tensor.of(List.of(2L, 3L), 1f, 1, 1, 1, 1, 1);

    assertThat(PADDED.distance("y", before, Tensor.of(List.of(2L, 3L), 1f, 1, 9, 9, 1, 1)))
        .isEqualTo(PADDED.distance("y", before, before));
    assertThat(
            PADDED
                .distance("y", before, Tensor.of(List.of(2L, 3L), 1f, 1, 1, 1, 1, 3))
                .relativeError())
        .isEqualTo(2);
  }

  @Test
  void otherShapesAreNamed() {
    assertThatThrownBy(() -> PADDED.distance("output 'y'", zeros(2L, 3L), zeros(3L, 2L)))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "output 'y' is float[2, 3] in a run of the original, float[3, 2] in the pruned model");
  }
}
