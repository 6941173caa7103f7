package io.moneonnx.graph;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ValueRanksTest {
  private static final Graph GRAPH =
      GraphText.parse(
          """
          g (float[T, 4] x, int64[B, S] ids, float[...] any) => (float[...] y)
          <float[8, 4, 5] up, float[50, 4] embeddings, int64[1] one = {1}, int64[2] flat = {-1, 4},
           int64 zero = {0}>
          {
            words = Gather (embeddings, ids)
            rows = Reshape (words, flat)
            apart = Unsqueeze (x, one)
            stacked = MatMul (rows, up)
            act = Tanh (stacked)
            sum = ReduceSum <keepdims = 0> (act, one)
            kept = ReduceSum (act, one)
            size = Shape (words)
            batch = Gather (size, zero)
            first = Unsqueeze (batch, one)
            shape = Concat <axis = 0> (first, one, flat)
            tall = Reshape (words, shape)
            spread = Expand (x, shape)
            joined = Einsum <equation = "th,ehi->tei"> (x, up)
            strange = com.other.Thing (x)
            behind = Tanh (any)
            y = Add (x, any)
          }
          """);

  @ParameterizedTest
  @CsvSource({
    "x, 2",
    "words, 3",
    "rows, 2",
    "apart, 3",
    "stacked, 3",
    "act, 3",
    "sum, 2",
    "kept, 3",
    "batch, 0",
    "shape, 1",
    "tall, 4",
    "spread, 4",
    "joined, 3"
  })
  void followsWhatOperatorsDo(String value, int rank) {
    assertThat(new ValueRanks(GRAPH).of(value)).isEqualTo(OptionalInt.of(rank));
  }

  @Test
  void saysNothingOfWhatIsNotKnown() {
    for (String value : new String[] {"strange", "behind", "y"}) {
      assertThat(new ValueRanks(GRAPH).of(value)).isEmpty();
    }
  }
}
