package io.moneonnx.passes;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.CanonicalText;
import io.moneonnx.graph.Graph;
import java.util.List;
import org.junit.jupiter.api.Test;

class MarkerTest {
  /** A graph from the chosen {@code ids [T, 2]} of 4 experts. */
  private static Graph graph(String nodes) {
    return CanonicalText.parse(
        """
        marker (int64[T, 2] ids) => (int64[n] slot, int64[n] token)
        <int64 depth = {4}, int64[2] values = {0, 1}, int64[4] classes = {0, 1, 2, 3},
         int64 e0 = {0}, int64 e1 = {1}, int64[1] zero = {0}, int64[1] one = {1},
         int64[1] two = {2}, int64[1] end = {9223372036854775807}, int64[2] halves = {1, 1}, int64[1] last = {-1}>
        {
        %s
        }
        """
            .formatted(nodes));
  }

  private static final String TORCHSCRIPT =
      """
      hot = OneHot <axis = -1> (ids, depth, values)
      mask = Transpose <perm = [2, 1, 0]> (hot)
      row = Gather <axis = 0> (mask, e1)
      bits = Cast <to = 9> (row)
      hits = NonZero (bits)
      pairs = Transpose <perm = [1, 0]> (hits)
      """;

  private static final String DYNAMO =
      """
      column = Unsqueeze (ids, last)
      same = Equal (classes, column)
      hot = Cast <to = 7> (same)
      mask = Transpose <perm = [2, 1, 0]> (hot)
      row = Gather (mask, e1)
      hits = NonZero (row)
      pairs = Transpose <perm = [1, 0]> (hits)
      """;

  @Test
  void findsTheHitsOfEachExpertAsTorchScriptSplitsThem() {
    Graph graph =
        graph(
            TORCHSCRIPT
                + """
                slot, token = Split <axis = 1> (pairs, halves)
                row0 = Gather <axis = 0> (mask, e0)
                hits0 = NonZero (row0)
                pairs0 = Transpose <perm = [1, 0]> (hits0)
                slot0, token0 = Split <axis = 1> (pairs0, halves)
                """);
    assertThat(Marker.findAll(graph))
        .hasOnlyElementsOfType(OneHotMarker.class)
        .extracting(Marker::second)
        .containsExactly("token", "token0");
    assertThat(Marker.findAll(graph, "experts", "ids")).hasSize(2);
    assertThat(OneHotMarker.match(graph, "token").orElseThrow())
        .returns("ids", Marker::experts)
        .returns("e1", marker -> marker.expert().value())
        .returns(List.of(2L, 1L, 0L), Marker::order)
        .returns("slot", Marker::first);
  }

  @Test
  void findsOneExpertsHitsByItsNumber() {
    Graph graph = graph(TORCHSCRIPT + "slot, token = Split <axis = 1> (pairs, halves)");
    assertThat(Marker.findAll(graph, "expert", "e1")).hasSize(1);
    assertThat(Marker.findAll(graph, "expert", "e0")).isEmpty();
  }

  @Test
  void findsTheHitsOfOneExpertAsDynamoSlicesThem() {
    Graph graph =
        graph(
            DYNAMO
                + """
                slot = Slice (pairs, zero, one, one)
                token = Slice (pairs, one, two, one)
                """);
    assertThat(Marker.findAll(graph))
        .singleElement()
        .isInstanceOf(OneHotMarker.class)
        .returns("ids", Marker::experts)
        .returns("slot", Marker::first)
        .returns("token", Marker::second);
  }

  @Test
  void wantsBothColumnsOfTheHits() {
    Graph graph =
        graph(
            DYNAMO
                + """
                slot = Slice (pairs, zero, one, zero)
                token = Slice (pairs, one, two, one)
                """);
    assertThat(Marker.findAll(graph)).isEmpty();
  }

  private static final String EQUAL_TO_ONE =
      """
      same = Equal (ids, e1)
      hits = NonZero (same)
      pairs = Transpose <perm = [1, 0]> (hits)
      """;

  @Test
  void findsTheHitsOfAnId() {
    String slices =
        """
        token = Slice (pairs, zero, one, one)
        slot = Slice (pairs, one, two, one)
        """;
    assertThat(IdMarker.findAll(graph(EQUAL_TO_ONE + slices)))
        .singleElement()
        .satisfies(
            marker -> {
              assertThat(marker.experts()).isEqualTo("ids");
              assertThat(marker.expert().tensor().toLongs()).containsExactly(1);
              assertThat(List.of(marker.token(), marker.slot())).containsExactly("token", "slot");
            });
  }

  @Test
  void splitsTheHitsOfAnId() {
    String split = "token, slot = Split <axis = 1> (pairs, halves)";
    assertThat(IdMarker.findAll(graph(EQUAL_TO_ONE + split)))
        .singleElement()
        .isInstanceOf(EqualMarker.class);
  }

  @Test
  void gathersTheHitsOfAnId() {
    String gathered =
        """
        all = Slice (pairs, zero, end, zero, one)
        token = Gather <axis = 1> (all, zero)
        slot = Gather <axis = 1> (all, one)
        """;
    assertThat(IdMarker.findAll(graph(EQUAL_TO_ONE + gathered)))
        .singleElement()
        .isInstanceOf(EqualMarker.class)
        .satisfies(
            marker ->
                assertThat(List.of(marker.token(), marker.slot()))
                    .containsExactly("token", "slot"));
    assertThat(
            IdMarker.findAll(
                graph(EQUAL_TO_ONE + gathered.replace("(pairs, zero, end", "(pairs, one, end"))))
        .isEmpty();
    assertThat(IdMarker.findAll(graph(EQUAL_TO_ONE + gathered.replace("<axis = 1>", "<axis = 0>"))))
        .isEmpty();
  }

  @Test
  void takesNoIdThatTheGraphComputes() {
    String computed = EQUAL_TO_ONE.replace("(ids, e1)", "(ids, later)");
    String split = "later = Add (e0, slot)\ntoken, slot = Split <axis = 1> (pairs, halves)";
    assertThat(IdMarker.findAll(graph(computed + split))).isEmpty();
  }

  @Test
  void findsTheHitsInAColumnOfAOneHotMask() {
    Graph graph =
        graph(
            """
            hot = OneHot <axis = -1> (ids, depth, values)
            column = Gather <axis = 2> (hot, e1)
            hits = NonZero (column)
            token = Gather <axis = 0> (hits, e0)
            slot = Gather <axis = 0> (hits, e1)
            """);
    assertThat(IdMarker.findAll(graph))
        .singleElement()
        .isInstanceOf(OneHotColumnMarker.class)
        .returns("ids", IdMarker::experts);
    assertThat(
            IdMarker.findAll(
                graph(
                    """
            hot = OneHot <axis = -1> (ids, depth, values)
            column = Gather <axis = 1> (hot, e1)
            hits = NonZero (column)
            token = Gather <axis = 0> (hits, e0)
            slot = Gather <axis = 0> (hits, e1)
            """)))
        .isEmpty();
  }
}
