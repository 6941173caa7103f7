package io.moneonnx.passes;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.CanonicalText;
import io.moneonnx.graph.Graph;
import org.junit.jupiter.api.Test;

/** Masks of the choices of one expert, and buffers that are overwritten by them. */
class SlotBufferPassesTest {
  private static Graph graph(String nodes) {
    return CanonicalText.parse(
        """
        slots (int64[T, 2] ids, float[S, 4] buffer, float[n, 4] rows, bool[S] mask, int64[T, 2, 3] fits)
            => (float[S, 4] next)
        <int64 e1 = {1}, int64[3] classes = {0, 1, 2}, int64 depth = {3}, int64[2] offOn = {0, 1},
         int64[2] onOff = {1, 0}, int64[1] last = {-1}, int64[1] zero = {0}, int64[1] n = {7}>
        {
        %s
        }
        """
            .formatted(nodes));
  }

  @Test
  void findsTheMaskOfAnId() {
    Graph graph = graph("flat = Reshape (ids, last)\n  found = Equal (flat, e1)");
    assertThat(ExpertMask.findAll(graph))
        .singleElement()
        .isInstanceOf(EqualMask.class)
        .returns("ids", ExpertMask::experts)
        .returns("e1", mask -> mask.expert().value())
        .returns("found", ExpertMask::mask);
  }

  @Test
  void findsAColumnOfAOneHotMask() {
    Graph graph =
        graph(
            """
            hot = OneHot <axis = -1> (ids, depth, offOn)
            column = Gather <axis = 2> (hot, e1)
            """);
    assertThat(OneHotMask.match(graph, "column").orElseThrow())
        .returns("ids", OneHotMask::experts)
        .returns("hot", OneHotMask::hot)
        .returns("hot", OneHotMask::kept);
  }

  @Test
  void findsAColumnOfWhatIsLeftOfAOneHotMask() {
    Graph graph =
        graph(
            """
            choice = Unsqueeze (ids, last)
            same = Equal (choice, classes)
            hot = Cast <to = 7> (same)
            left = Mul (fits, hot)
            column = Gather <axis = 2> (left, e1)
            """);
    assertThat(OneHotMask.match(graph, "column").orElseThrow())
        .returns("ids", OneHotMask::experts)
        .returns("left", OneHotMask::kept);
  }

  @Test
  void takesNoMaskOfAllOthers() {
    Graph graph =
        graph(
            """
            cold = OneHot <axis = -1> (ids, depth, onOff)
            column = Gather <axis = 2> (cold, e1)
            """);
    assertThat(ExpertMask.findAll(graph)).isEmpty();
  }

  @Test
  void takesNoOneHotMaskWithItsClassesInFront() {
    Graph graph =
        graph(
            """
            hot = OneHot <axis = 0> (ids, depth, offOn)
            column = Gather <axis = 2> (hot, e1)
            """);
    assertThat(ExpertMask.findAll(graph)).isEmpty();
  }

  @Test
  void findsRowsPutWhereAMaskHits() {
    Graph graph =
        graph(
            """
            hits = NonZero (mask)
            at = Transpose <perm = [1, 0]> (hits)
            next = ScatterND (buffer, at, rows)
            """);
    assertThat(Overwrite.findAll(graph))
        .containsExactly(new MaskedOverwrite("buffer", "mask", "rows", "next"));
  }

  private static final String CELLS =
      """
      column = Unsqueeze (mask, last)
      size = Shape (buffer)
      wide = Expand (column, size)
      hits = NonZero (wide)
      at = Transpose <perm = [1, 0]> (hits)
      elements = Reshape (rows, last)
      """;

  @Test
  void findsElementsPutWhereAMaskHits() {
    Graph graph = graph(CELLS + "next = ScatterND (buffer, at, elements)");
    assertThat(Overwrite.findAll(graph))
        .containsExactly(new MaskedOverwrite("buffer", "mask", "rows", "next"));
  }

  @Test
  void findsAsManyElementsAsThereAreHits() {
    Graph graph =
        graph(
            CELLS
                + """
                counted = Slice (elements, zero, n, zero)
                next = ScatterND (buffer, at, counted)
                """);
    assertThat(Overwrite.findAll(graph))
        .containsExactly(new CountedOverwrite("buffer", "mask", "rows", "next"));
  }

  @Test
  void takesNoAdditionForAnOverwrite() {
    Graph graph =
        graph(
            """
            hits = NonZero (mask)
            at = Transpose <perm = [1, 0]> (hits)
            next = ScatterND <reduction = "add"> (buffer, at, rows)
            """);
    assertThat(Overwrite.findAll(graph)).isEmpty();
  }
}
