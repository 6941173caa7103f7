package io.moneonnx.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.TinyMoe;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SlotPiecesTest {
  private static final String COLUMNS =
      """
      g (float[s, 4] x, int64[s] ids, float[5, 6, 4] up, float[5, 4, 3] down) => (float[s, 4] y)
      <int64[1] last = {-1}, int64 axis = {1}>
      {
        at = Unsqueeze (ids, last)
        ups = GatherND <batch_dims = 0> (up, at)
        columns = Unsqueeze (x, last)
        product = MatMul (ups, columns)
        both = Squeeze (product, last)
        gated, raised = Split <axis = 1, num_outputs = 2> (both)
        sigmoid = Sigmoid (gated)
        act = Mul (sigmoid, raised)
        downs = Gather <axis = 0> (down, ids)
        acts = Unsqueeze (act, last)
        out = MatMul (downs, acts)
        raw = Squeeze (out, last)
        y = Tanh (raw)
      }
      """;

  private static final String ROWS =
      """
      g (float[s, 4] x, int64[s] ids, float[5, 4, 6] up, float[5, 6, 4] down, float[5, 6] shift) => (float[s, 4] y)
      <int64[1] one = {1}, float limit = {0.5}>
      {
        ups = Gather <axis = 0> (up, ids)
        row = Unsqueeze (x, one)
        product = MatMul (row, ups)
        flat = Squeeze (product, one)
        shifts = Gather <axis = 0> (shift, ids)
        both = Add (flat, shifts)
        least = Min (both, limit)
        acts = Unsqueeze (least, one)
        downs = Gather <axis = 0> (down, ids)
        out = MatMul (acts, downs)
        y = Squeeze (out, one)
      }
      """;

  private static Model model(String text) {
    Graph graph = GraphText.parse(text);
    Random random = new Random(1);
    Map<String, Initializer> initializers = new LinkedHashMap<>(graph.initializers());
    for (Value input : graph.inputs().subList(2, graph.inputs().size())) {
      List<Long> dims = input.shape().orElseThrow().stream().map(Dimension::size).toList();
      initializers.put(input.name(), Initializer.of(input.name(), some(random, dims)));
    }
    return new Model(
        new Graph(
            graph.name(),
            graph.nodes(),
            initializers,
            graph.inputs().subList(0, 2),
            graph.outputs(),
            Map.of(),
            graph.rest()),
        10,
        Map.of("", 18L),
        Map.of(),
        List.of(),
        UnknownFields.NONE);
  }

  private static Tensor some(Random random, List<Long> dims) {
    float[] values = new float[(int) Tensor.elements(dims)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.of(dims, values);
  }

  private static Map<String, Tensor> feeds(int slots, int first, int experts) {
    long[] ids = LongStream.range(0, slots).map(i -> first + i * i * 7 % experts).toArray();
    return Map.of(
        "x", some(new Random(slots), List.of((long) slots, 4L)),
        "ids", Tensor.of(List.of((long) slots), ids));
  }

  private static boolean hasLoop(Model model) {
    return model.graph().nodes().stream().anyMatch(node -> node.is("Loop"));
  }

  private static void assertSame(String text, Map<String, Tensor> feeds) {
    Model model = model(text);
    SlotPieces pieces = SlotPieces.of(model);
    assertThat(hasLoop(pieces.always())).isTrue();
    assertSame(model, pieces.always(), feeds);
    assertSame(model, pieces.within(20 * 4 * (6 * 4 + 4 * 6)), feeds);
  }

  private static void assertSame(Model model, Model pieces, Map<String, Tensor> feeds) {
    Tensor wanted = TinyMoe.run(model, feeds, List.of("y")).get("y");
    Tensor found = TinyMoe.run(pieces, feeds, List.of("y")).get("y");
    assertThat(found.dims()).isEqualTo(wanted.dims());
    float[] values = wanted.toFloats();
    for (int i = 0; i < values.length; i++) {
      assertThat(found.toFloats()[i]).isCloseTo(values[i], within(1e-5f));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 15, 16, 17, 100, 5000})
  void computeTheSameForColumns(int slots) {
    assertSame(COLUMNS, feeds(slots, 0, 5));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 33, 777})
  void computeTheSameForRowsWithShifts(int slots) {
    assertSame(ROWS, feeds(slots, 0, 5));
  }

  @ParameterizedTest
  @CsvSource({"40, 4, 1", "40, 0, 1", "40, -5, 5"})
  void computeTheSameWhereAllGoToOneAndWhereIdsCountFromTheEnd(int slots, int first, int experts) {
    assertSame(COLUMNS, feeds(slots, first, experts));
  }

  @Test
  void computeNothingForNoSlots() {
    assertSame(COLUMNS, feeds(0, 0, 5));
    assertSame(ROWS, feeds(0, 0, 5));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "gated, raised = Split <axis = 1 | gated, raised = Split <axis = 0",
        "Sigmoid (gated) | Softmax <axis = 0> (gated)",
        "act = Mul (sigmoid, raised) | act = CumSum (raised, axis)",
      })
  void leaveAloneWhatMixesSlots(String before, String after) {
    String mixed = COLUMNS.replace(before.strip(), after.strip());
    assertThat(mixed).isNotEqualTo(COLUMNS);

    assertThat(hasLoop(SlotPieces.of(model(mixed)).always())).isFalse();
  }
}
