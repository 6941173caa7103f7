package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BisectionTest {
  private final List<Integer> asked = new ArrayList<>();

  private OptionalInt largest(int most, Set<Integer> holding) {
    return Bisection.largest(
        most,
        number -> {
          asked.add(number);
          return holding.contains(number);
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 15, 16, 240})
  void findsTheLargestWhereverItIs(int most) {
    for (int last = 1; last <= most; last++) {
      int wanted = last;
      asked.clear();

      assertThat(
              Bisection.largest(
                  most,
                  number -> {
                    asked.add(number);
                    return number <= wanted;
                  }))
          .hasValue(last);
      assertThat(asked).doesNotHaveDuplicates().contains(last);
      assertThat(asked.size()).isLessThanOrEqualTo((int) (Math.log(most) / Math.log(2)) + 1);
      if (last < most) {
        assertThat(asked).contains(last + 1);
      }
    }
  }

  @Test
  void findsNothingWhereNothingHolds() {
    assertThat(largest(15, Set.of())).isEmpty();
    assertThat(asked).contains(1);
  }

  @Test
  void findsNothingAmongNone() {
    assertThat(largest(0, Set.of())).isEmpty();
    assertThat(asked).isEmpty();
  }

  @Test
  void whatItFindsHoldsAndTheNextDoesNotWhereTheyTakeTurns() {
    Set<Integer> holding = Set.of(1, 2, 5, 6, 7, 9, 12, 13);

    int found = largest(15, holding).orElseThrow();

    assertThat(holding).contains(found).doesNotContain(found + 1);
    assertThat(asked).contains(found, found + 1);
  }
}
