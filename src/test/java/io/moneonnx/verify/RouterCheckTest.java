package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** One token, two of four experts. */
final class RouterCheckTest {
  private static final MoeBlock BLOCK = Spelling.DYNAMO.of(4, 2, 4).block();

  private static Map<String, Tensor> chosen(long first, float gate, long second, float other) {
    List<Long> slots = List.of(1L, 2L);
    return Map.of(
        BLOCK.routing().choice().value(),
        Tensor.of(slots, first, second),
        BLOCK.routing().choice().scores(),
        Tensor.of(List.of(1L, 4L), 0.1f, 0.6f, 0.3f, 0f),
        BLOCK.routingWeights().value(),
        Tensor.of(slots, gate, other));
  }

  private static RouterCheck check(
      Set<Integer> gone, Map<String, Tensor> expected, Map<String, Tensor> found) {
    RouterCheck check = new RouterCheck(BLOCK, gone);
    check.add(expected, found);
    return check;
  }

  @Test
  void theOrderOfChoicesDoesNotMatter() {
    RouterCheck check = check(Set.of(3), chosen(1, 0.7f, 2, 0.3f), chosen(2, 0.3f, 1, 0.7f));

    assertThat(check.worst()).isZero();
    assertThat(check.flips()).isEmpty();
  }

  @Test
  void routingWeightsThatAreSwappedAreFound() {
    RouterCheck check = check(Set.of(3), chosen(1, 0.8f, 2, 0.2f), chosen(1, 0.2f, 2, 0.8f));

    assertThat(check.worst()).isGreaterThan(0.7);
  }

  @Test
  void otherChoicesAreFlipsByTheirScores() {
    RouterCheck check = check(Set.of(3), chosen(1, 0.7f, 2, 0.3f), chosen(1, 0.7f, 0, 0.3f));

    assertThat(check.flips()).hasSize(1);
    assertThat(check.flips().get(0).gap()).isBetween(0.199, 0.201);
  }

  @Test
  void expertsThatAreShutOutAlikeAreTied() {
    float never = Float.NEGATIVE_INFINITY;
    Map<String, Tensor> expected = new HashMap<>(chosen(1, 1f, 0, 0f));
    expected.put(
        BLOCK.routing().choice().scores(), Tensor.of(List.of(1L, 4L), never, 0.6f, never, never));

    assertThat(check(Set.of(3), expected, chosen(1, 1f, 2, 0f)).flips())
        .extracting(Verdict.Flip::gap)
        .containsExactly(0.0);
  }

  @Test
  void whoIsGoneHasNoShareWhateverIsExpected() {
    Map<String, Tensor> both = chosen(1, 0.7f, 2, 0.3f);

    assertThat(check(Set.of(2), both, both).worst()).isInfinite();
  }

  @Test
  void whoIsGoneMayBeChosenWithoutAShare() {
    Map<String, Tensor> both = chosen(1, 1f, 2, 0f);

    assertThat(check(Set.of(2), both, both).worst()).isZero();
  }
}
