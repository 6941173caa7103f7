package io.moneonnx.form;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Eight experts, whose ids are changed before they are counted. */
final class DerivedIdsTest {
  private static Graph graph(String nodes) {
    return GraphText.parse(
        """
        g (int64[S] ids, int64[S] others) => (int64[S] y)
        <int64 zero = {0}, int64 one = {1}, int64 six = {6}, int64 seven = {7}, int64[1] flat = {-1},
         float bin = {0.875}, float half = {0.5}>
        {
          %s
        }
        """
            .formatted(nodes.replace("; ", "\n  ")));
  }

  private static Optional<DerivedIds> of(String nodes) {
    return DerivedIds.of(graph(nodes), "y", Set.of("ids"), 8);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "y = Clip (ids, zero, seven)",
        "y = Reshape (ids, flat)",
        "f = Cast <to = 1> (ids); b = Div (f, bin); i = Cast <to = 7> (b); y = Clip (i, zero, seven)",
        "a = Add (ids, one); y = Sub (a, one)",
        "f = Cast <to = 1> (ids); a = Add (half, f); d = Floor (a); y = Cast <to = 7> (d)",
      })
  void seesThatEveryIdIsStillItself(String nodes) {
    assertThat(of(nodes).orElseThrow().objection("y")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "y = Clip (ids, zero, six)                                     | 7 | 6",
        "y = Clip (ids, one)                                           | 0 | 1",
        "y = Add (ids, one)                                            | 0 | 1",
        "f = Cast <to = 1> (ids); b = Div (f, bin); y = Cast <to = 7> (b) | 7 | 8",
      })
  void namesTheFirstIdThatIsAnother(String nodes, int id, String other) {
    assertThat(of(nodes).orElseThrow().objection("y"))
        .contains(
            "expert %d is counted as %s.000 in 'y'; expected every id counted as it is"
                .formatted(id, other));
  }

  @Test
  void namesAnOperatorThatItDoesNotKnow() {
    assertThat(of("m = Mod (ids, seven); y = Clip (m, zero, seven)").orElseThrow().objection("y"))
        .contains(
            "'Mod -> m' (Mod) changes the ids before they are counted in a way that is not known");
  }

  @ParameterizedTest
  @CsvSource({"'y = Clip (others, zero, seven)'", "'y = Add (ids, others)'"})
  void followsNothingButTheIds(String nodes) {
    assertThat(of(nodes)).isEmpty();
  }
}
