package io.moneonnx.canonical;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each rule with what it is given and what it makes of that; and what it leaves alone. */
class RuleTest {
  private static Graph canonical(String nodes) {
    Graph graph =
        GraphText.parse(
            """
                g (float[A, B, C] x, float[A, B] m, float16[A] h, float[A] f, float[...] unknown)
                    => (float[...] y)
                <int64 i = {1}, int64[1] first = {0}, int64[1] second = {1}, int64[1] third = {2}, int64[1] last = {-1}, float[5, 7] weight,
                 int64[2] units = {1, 1}, int64[2] units2 = {2, 2}, int64[2] uneven = {1, 2}, int64[1] all = {9223372036854775807},
                 int64 five = {5}, int64 two = {2}, float16[4, 2] stored, int64[1, 1] square = {1},
                 int32[1] from, int32[1] to, float8e4m3fn[4, 2] tiny>
                {
                %s
                }
                """
                .formatted(nodes));
    Map<String, Initializer> constants = new LinkedHashMap<>(graph.initializers());
    put(constants, "from", ElementType.INT32, List.of(1L), 4);
    put(constants, "to", ElementType.INT32, List.of(1L), 4);
    put(constants, "tiny", ElementType.FLOAT8E4M3FN, List.of(4L, 2L), 8);
    return Canonical.of(
            new Graph(
                graph.name(),
                graph.nodes(),
                constants,
                graph.inputs(),
                graph.outputs(),
                graph.declared(),
                graph.rest()))
        .graph();
  }

  /** Zeros of a type that the text of graphs has no values for. */
  private static void put(
      Map<String, Initializer> constants,
      String name,
      ElementType type,
      List<Long> dims,
      int bytes) {
    constants.put(
        name, Initializer.of(name, new Tensor.Inline(type, dims, ByteBuffer.allocate(bytes))));
  }

  /** The nodes; constant inputs by their elements, values between by their order. */
  private static String text(Graph graph) {
    Map<String, String> names = new LinkedHashMap<>();
    return graph.nodes().stream()
        .map(node -> text(graph, node, names))
        .collect(Collectors.joining("  "));
  }

  private static String text(Graph graph, Node node, Map<String, String> names) {
    String inputs =
        node.inputs().stream()
            .map(
                input ->
                    graph
                        .constant(input)
                        .filter(tensor -> !input.equals("stored"))
                        .map(RuleTest::elements)
                        .orElse(names.getOrDefault(input, input)))
            .collect(Collectors.joining(", "));
    String made =
        node.outputs().stream()
            .map(
                output ->
                    graph.isOutput(output)
                        ? output
                        : names.computeIfAbsent(output, o -> "v" + names.size()))
            .collect(Collectors.joining(", "));
    String attributes = GraphText.print(node).replaceAll("^[^<(]*(<[^>]*> )?.*$", "$1");
    return made + " = " + node.opType() + " " + attributes + "(" + inputs + ")";
  }

  private static String elements(Tensor tensor) {
    return Arrays.toString(tensor.toLongs());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "y = Sum (f, f, f) | v0 = Add (f, f)  y = Add (v0, f)",
        "a = Sum (f) y = Neg (a) | y = Neg (f)",
        "p = Neg (m) q = Exp (m) s = Mul (p, q) t = Mul (q, p) a = Add (m, s) y = Add (a, t) | v0 = Neg (m)  v1 = Exp (m)  v2 = Mul (v0, v1)  v3 = Mul (v1, v0)  v4 = Add (v2, v3)  y = Add (m, v4)",
        "y = CastLike (f, h) | y = Cast <to = 10> (f)",
        "y = Shape <start = 0> (x) | y = Shape (x)",
        "y = Shape <start = 1, end = 3> (x) | v0 = Shape (x)  y = Slice (v0, [1], [3], [0])",
        "y = Slice (x, first, second, third, second) | y = Slice (x, [0], [1], [2])",
        "y = Slice (x, first, second) | y = Slice (x, [0], [1], [0])",
        "a = Slice (x, first, all, third) y = Neg (a) | y = Neg (x)",
        "a, b = Split <axis = 1> (m, units) y = Add (a, b) | v0 = Slice (m, [0], [1], [1])  v1 = Slice (m, [1], [2], [1])  y = Add (v0, v1)",
        "y = Gather <axis = 2> (x, second) | y = Slice (x, [1], [2], [2])",
        "a = Transpose <perm = [0, 1]> (m) y = Neg (a) | y = Neg (m)",
        "y = Transpose (m) | y = Transpose <perm = [1, 0]> (m)",
        "a = Transpose <perm = [1, 2, 0]> (x) y = Transpose <perm = [1, 0, 2]> (a) | y = Transpose <perm = [2, 1, 0]> (x)",
        "a = Gather <axis = 2> (x, i) y = Transpose <perm = [1, 0]> (a) | v0 = Transpose <perm = [2, 1, 0]> (x)  y = Gather <axis = 0> (v0, [1])",
        "a = Slice (m, first, second, first) y = Transpose <perm = [1, 0]> (a) | v0 = Transpose <perm = [1, 0]> (m)  y = Slice (v0, [0], [1], [1])",
        "a = NonZero (m) y = Gather <axis = 0> (a, i) | v0 = NonZero (m)  v1 = Transpose <perm = [1, 0]> (v0)  v2 = Slice (v1, [1], [2], [1])  y = Squeeze (v2, [1])",
        "a = NonZero (m) b = Transpose <perm = [1, 0]> (a) y = Gather <axis = -1> (b, i) | v0 = NonZero (m)  v1 = Transpose <perm = [1, 0]> (v0)  v2 = Slice (v1, [1], [2], [1])  y = Squeeze (v2, [1])",
        "a = NonZero (m) b = Transpose <perm = [1, 0]> (a) y = Gather <axis = -2> (b, i) | v0 = NonZero (m)  v1 = Transpose <perm = [1, 0]> (v0)  y = Gather <axis = -2> (v1, [1])",
        "a = NonZero (m) b = Slice (a, second, third, first) y = Squeeze (b, first) | v0 = NonZero (m)  v1 = Transpose <perm = [1, 0]> (v0)  v2 = Slice (v1, [1], [2], [1])  y = Squeeze (v2, [1])",
        "s = Concat <axis = 0> (units, third) y = Reshape (x, s) | y = Reshape (x, [1, 1, 2])",
        "s = Concat <axis = 0> (units, third) t = Shape (s) n = ConstantOfShape <value = int64[1] {1}> (t) y = Expand (x, n) | y = Expand (x, [1, 1, 1])",
        "l = MatMul (x, weight) s = Shape (l) n = Gather (s, third) y = Add (n, n) | y = Add ([7], [7])",
        "l = MatMul (x, weight) p = Softmax (l) s = Shape (p) n = Gather (s, last) y = Add (n, n) | y = Add ([7], [7])",
        "l = Gemm (m, weight) s = Shape (l) z = ConstantOfShape (s) t = Shape (z) n = Slice (t, second, third) y = Add (n, n) | y = Add ([7], [7])",
        "l = Gemm <transB = 1> (m, weight) t = Transpose <perm = [1, 0]> (l) n = Shape <start = 0, end = 1> (t) y = Add (n, n) | y = Add ([5], [5])",
        "a, b = Split <axis = 0> (stored, units2) y = Concat <axis = 1> (b, a) | v0 = Slice (stored, [0], [2], [0])  v1 = Slice (stored, [2], [4], [0])  y = Concat <axis = 1> (v1, v0)",
        "a, b = Split <axis = -2, num_outputs = 2> (stored) y = Concat <axis = 1> (b, a) | v0 = Slice (stored, [0], [2], [-2])  v1 = Slice (stored, [2], [4], [-2])  y = Concat <axis = 1> (v1, v0)",
        "a = Slice (stored, first, second, second) y = Gather (a, i) | v0 = Gather (stored, [1])  y = Slice (v0, [0], [1], [0])",
        "a = Slice (stored, first, second, second) y = Slice (a, first, second, first) | v0 = Slice (stored, [0], [1], [0])  y = Slice (v0, [0], [1], [1])",
        "a = Transpose <perm = [1, 0]> (stored) b = Gather (a, i) y = Neg (b) | v0 = Gather <axis = 1> (stored, [1])  y = Neg (v0)",
        "a = Transpose <perm = [1, 0]> (stored) y = Slice (a, first, second, first) | v0 = Slice (stored, [0], [1], [1])  y = Transpose <perm = [1, 0]> (v0)",
        "a = Cast <to = 1> (stored) y = Gather (a, i) | v0 = Gather (stored, [1])  y = Cast <to = 1> (v0)",
      })
  void bringsSpellingsTogether(String before, String after) {
    Graph graph = canonical(before);

    assertThat(text(graph)).isEqualTo(after);
    assertThat(text(Canonical.of(graph).graph())).isEqualTo(after);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "y = Identity (f)",
        "s = Shape (x) t = Concat <axis = 0> (units, s) y = Expand (x, t)",
        "z = ConstantOfShape <value = float[1] {1}> (third) y = Add (f, z)",
        "l = MatMul (x, weight) s = Shape (l) y = Gather (s, i)",
        "l = MatMul (x, weight) s = Shape (l) y = Slice (s, second, all, first)",
        "l = MatMul (x, weight) r = Relu (l) s = Shape (r) y = Gather (s, two)",
        "s = Shape (x) y = Gather (s, two)",
        "y = Slice (x, first, second, third, third)",
        "a, b = Split <axis = 1> (m, uneven) y = Concat <axis = 1> (a, b)",
        "a, b = Split <axis = 1, num_outputs = 2> (m) y = Add (a, b)",
        "y = Gather <axis = 2> (x, units)",
        "p = Neg (m) q = Exp (m) s = Mul (p, q) t = Mul (q, p) a = Add (t, s) y = Add (a, t)",
        "p = Neg (m) q = Exp (m) s = Mul (p, q) t = Mul (q, q) a = Add (m, s) y = Add (a, t)",
        "p = Neg (m) q = Exp (m) s = Mul (p, q) t = Mul (q, p) a = Add (m, s) b = Add (a, t) y = Sub (a, b)",
        "p = Neg (m) s = Mul (p, f) t = Mul (p, f) a = Add (m, s) y = Add (a, t)",
        "p = Neg (m) q = Exp (m) s = Mul (p, q) t = Mul (p, q) a = Add (weight, s) y = Add (a, t)",
        "a = Slice (stored, first, second, first) y = Slice (a, first, second, second)",
        "a, b = Split <axis = 1, split = [1, 1]> (stored) y = Concat <axis = 1> (b, a)",
        "y = Transpose <perm = [1, 0]> (m)",
        "y = Transpose (unknown)",
        "a = NonZero (m) b = Slice (a, second, third, second) y = Squeeze (b, first)",
        "y = Unsqueeze (five, units)",
        "y = Squeeze (square, first)",
        "y = Slice (x, from, to)",
        "a = Slice (m, from, to, from) y = Transpose <perm = [1, 0]> (a)",
        "a = Cast <to = 1> (tiny) y = Gather (a, i)",
      })
  void leavesWhatIsNotTheSame(String nodes) {
    assertThat(canonical(nodes).nodes())
        .extracting(Node::opType)
        .isEqualTo(
            Arrays.stream(nodes.split("(?<=\\)) (?=\\w)"))
                .map(node -> node.replaceAll("^[^=]*= (\\w+) .*$", "$1"))
                .toList());
  }
}
