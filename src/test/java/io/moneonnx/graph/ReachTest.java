package io.moneonnx.graph;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class ReachTest {
  /** {@code x} splits into {@code a} and {@code b}, of which only {@code a} goes into the If. */
  private static final Graph GRAPH =
      GraphText.parse(
          """
          g (float[4] x, bool go) => (float[2] y, float[2] z)
          <int64[2] halves = {2, 2}>
          {
            a, b = Split (x, halves)
            "", c = TopK (b, halves)
            y = If <then_branch = then () => (float[2] t) { t = Neg (a) },
                    else_branch = other () => (float[2] o) { o = Exp (a) }> (go)
            z = Abs (c)
          }
          """);

  @Test
  void goesForwardThroughCapturesToo() {
    assertThat(Reach.forward(GRAPH, List.of("a"), v -> false)).containsExactlyInAnyOrder("a", "y");
    assertThat(Reach.forward(GRAPH, List.of("x"), v -> false))
        .containsExactlyInAnyOrder("x", "a", "b", "c", "y", "z");
  }

  @Test
  void goesBackwardThroughCapturesToo() {
    assertThat(Reach.backward(GRAPH, List.of("y"), v -> false))
        .containsExactlyInAnyOrder("y", "go", "a", "x", "halves");
  }

  @Test
  void stopsAtTheBorderAndCountsItIn() {
    assertThat(Reach.forward(GRAPH, List.of("x"), Set.of("b", "y")::contains))
        .containsExactlyInAnyOrder("x", "a", "b", "y");
    assertThat(Reach.backward(GRAPH, List.of("z"), Set.of("b")::contains))
        .containsExactlyInAnyOrder("z", "c", "b", "halves");
  }
}
