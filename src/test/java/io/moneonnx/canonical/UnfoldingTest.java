package io.moneonnx.canonical;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Node;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnfoldingTest {
  /** Adds to the rows at which the mask has a hit, if there are any. */
  private static final String SPARSE =
      """
      g (float[T, 4] x, int64[T] ids) => (float[T, 4] y)
      <int64 id = {1}, int64 no = {0}, int64[1] last = {-1}, float[4, 4] w>
      {
        mask = Equal (ids, id)
        hits = NonZero (mask)
        at = Transpose <perm = [1, 0]> (hits)
        token = Squeeze (at, last)
        size = Shape (token)
        count = ReduceProd <keepdims = 0> (size)
        any = Greater (count, no)
        y = If <then_branch = work () => (float[...] sum) {
                  rows = Gather <axis = 0> (x, token)
                  out = MatMul (rows, w)
                  sum = ScatterND <reduction = "add"> (x, at, out)
                }, else_branch = idle () => (float[...] same) { same = Identity (x) }> (any)
      }
      """;

  /** Adds a product with the mask, if it has a hit. */
  static final String DENSE =
      """
      g (float[T, 4] x, int64[T, 1] ids) => (float[T, 4] y)
      <int64 id = {1}, int64[1] last = {-1}, float[4, 4] w>
      {
        mask = Equal (ids, id)
        gate = Cast <to = 1> (mask)
        bits = Cast <to = 7> (mask)
        hit = ReduceMax <keepdims = 0> (bits)
        any = Cast <to = 9> (hit)
        y = If <then_branch = work () => (float[...] sum) {
                  out = MatMul (x, w)
                  scaled = Mul (out, gate)
                  sum = Add (x, scaled)
                }, else_branch = idle () => (float[...] same) { same = Identity (x) }> (any)
      }
      """;

  private static final String LOOP =
      """
      g (float[T, 4] x) => (float[T, 4] y)
      <int64 rounds = {3}, int64 two = {2}, float[3, 4, 4] w>
      {
        y = Loop <body = round (int64 i, bool more, float[...] before)
                      => (bool on, float[...] after) {
              on = Identity (more)
              row = Gather <axis = 0> (w, i)
              out = MatMul (before, row)
              after = Tanh (out)
            }> (rounds, , x)
      }
      """;

  private static Graph flat(String text) {
    return Canonical.of(GraphText.parse(text)).graph();
  }

  private static void assertGuarded(String text) {
    assertThat(flat(text).nodes()).noneMatch(node -> node.is("If"));
  }

  private static void assertLeft(String text) {
    assertThat(flat(text).nodes()).anyMatch(node -> !node.subgraphs().isEmpty());
  }

  private static String with(String text, String part, String otherwise) {
    assertThat(text).contains(part);
    return text.replace(part, otherwise);
  }

  @Test
  void putsGuardedWorkInThePlaceOfTheIf() {
    assertThat(flat(SPARSE).toString())
        .isEqualTo(
            GraphText.parse(
                    """
                    g (float[T, 4] x, int64[T] ids) => (float[T, 4] y)
                    <int64 id = {1}, int64[1] last = {-1}, float[4, 4] w>
                    {
                      mask = Equal (ids, id)
                      hits = NonZero (mask)
                      at = Transpose <perm = [1, 0]> (hits)
                      token = Squeeze (at, last)
                      rows = Gather <axis = 0> (x, token)
                      out = MatMul (rows, w)
                      y = ScatterND <reduction = "add"> (x, at, out)
                    }
                    """)
                .toString());
    assertThat(flat(DENSE).nodes())
        .extracting(Node::output)
        .containsExactly("mask", "gate", "out", "scaled", "y");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "any = GreaterOrEqual (count, id)",
        "any = Less (no, count)",
        "none = Equal (count, no)  any = Not (none)",
        "none = LessOrEqual (count, no)  any = Not (none)",
        "number = Size (hits)  any = Greater (number, no)",
        "length = Gather <axis = 0> (size, no)  any = Greater (length, no)",
        "any = Cast <to = 9> (count)",
      })
  void knowsManyWaysToAskForAHit(String any) {
    assertGuarded(with(SPARSE, "any = Greater (count, no)", any));
  }

  @Test
  void takesBranchesEitherWayRound() {
    String swapped =
        with(
            with(with(SPARSE, "then_branch", "x_branch"), "else_branch", "then_branch"),
            "x_branch",
            "else_branch");
    assertGuarded(with(swapped, "any = Greater (count, no)", "any = Equal (count, no)"));
    assertLeft(swapped);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "any = Greater (count, id)",
        "any = Less (count, no)",
        "any = Equal (count, no)",
        "any = Equal (count, id)",
        "small = Less (count, id)  any = And (small, small)",
        "tokens = Shape (x)  number = ReduceProd <keepdims = 0> (tokens)  any = Cast <to = 6> (number)",
        "summed = ReduceSum <keepdims = 0> (ids)  any = Cast <to = 9> (summed)",
      })
  void leavesConditionsThatSayNothingOfTheHits(String any) {
    assertLeft(with(SPARSE, "any = Greater (count, no)", any));
  }

  @Test
  void leavesCountsOfSomethingElse() {
    assertLeft(
        with(
                SPARSE,
                "mask = Equal (ids, id)",
                "all = Shape (ids)  other = Equal (ids, all)  others = NonZero (other)"
                    + " mask = Equal (ids, id)")
            .replace("size = Shape (token)", "size = Shape (others)"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "same = Identity (x) | same = Neg (x)",
        "same = Identity (x) | same = Identity (w)",
        "(x, at, out) | (rows, at, out)",
        "sum = ScatterND | there = Neg (x)  sum = ScatterND",
        "(x, at, out) | (x, ids, out)",
        "out = MatMul (rows, w) | out = MatMul (rows, w)  on = Add (x, w)",
      })
  void leavesBranchesThatMakeADifference(String part, String otherwise) {
    String text = with(SPARSE, part, otherwise);
    if (otherwise.startsWith("sum") || otherwise.startsWith("there")) {
      text = with(text, "(x, at, out)", "(there, at, out)");
    } else if (otherwise.startsWith("out")) {
      text = with(text, "(x, at, out)", "(on, at, out)");
    }
    assertLeft(text);
  }

  @Test
  void leavesProductsThatDoNotVanish() {
    assertLeft(with(DENSE, "Mul (out, gate)", "Add (out, gate)"));
    assertLeft(with(DENSE, "gate = Cast <to = 1> (mask)", "gate = Cast <to = 1> (ids)"));
    assertLeft(with(DENSE, "ReduceMax", "ReduceMin"));
    assertLeft(with(DENSE, "bits = Cast <to = 7> (mask)", "bits = Identity (ids)"));
  }

  @Test
  void keepsNamesOfDifferentBodiesApart() {
    String twice =
        with(SPARSE, "=> (float[T, 4] y)", "=> (float[T, 4] z)")
            .replaceFirst(
                "(?s)(  y = If .*> \\(any\\)\n)",
                "$1  z = If <then_branch = work () => (float[...] sum) {\n"
                    + "    rows = Gather <axis = 0> (y, token)  out = MatMul (rows, w)\n"
                    + "    sum = ScatterND <reduction = \"add\"> (y, at, out)\n"
                    + "  }, else_branch = idle () => (float[...] same) { same = Identity (y) }>"
                    + " (any)\n");
    assertThat(flat(twice).nodes())
        .extracting(Node::output)
        .endsWith("rows", "out", "y", "rows_1", "out_1", "z");
  }

  @Test
  void tellsABranchsOwnConstantFromWorkOfTheSameName() {
    assertLeft(
        with(DENSE, "{ same = Identity (x) }", "{ sum = Constant <value_float = 1.0> () }")
            .replace("(float[...] same)", "(float[...] sum)"));
  }

  @Test
  void unrollsALoopOverRows() {
    Graph flat = flat(LOOP);
    assertThat(flat.nodes())
        .extracting(GraphText::print)
        .containsExactly(
            "row0 = Gather <axis = 0> (w, i0)",
            "out0 = MatMul (x, row0)",
            "after0 = Tanh (out0)",
            "row1 = Gather <axis = 0> (w, i1)",
            "out1 = MatMul (after0, row1)",
            "after1 = Tanh (out1)",
            "row2 = Gather <axis = 0> (w, i2)",
            "out2 = MatMul (after1, row2)",
            "y = Tanh (out2)");
    assertThat(flat.integers("i2")).contains(new long[] {2});
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "(rounds, , x) | (number, , x)",
        "int64 rounds = {3} | int64 rounds = {2}",
        "int64 rounds = {3} | int64 rounds = {9223372036854775807}",
        "row = Gather <axis = 0> (w, i) | row = Gather <axis = 0> (w, two)",
        "row = Gather <axis = 0> (w, i) | row = Gather <axis = 1> (w, i)",
        "on = Identity (more) | on = Not (more)",
      })
  void leavesLoopsThatAreNotOverRows(String part, String otherwise) {
    assertLeft(
        with(LOOP, part, otherwise).replace("float[T, 4] x)", "float[T, 4] x, int64 number)"));
  }

  @Test
  void leavesLoopsThatCarryMore() {
    assertLeft(
        """
        g (float[T, 4] x) => (float[T, 4] y)
        <int64 rounds = {3}, int64 one = {1}, int64 zero = {0}, float[3, 4, 4] w>
        {
          y, n = Loop <body = round (int64 i, bool more, float[...] before, int64 counted)
                           => (bool on, float[...] after, int64 next) {
                on = Identity (more)
                next = Add (counted, one)
                row = Gather <axis = 0> (w, i)
                after = MatMul (before, row)
              }> (rounds, , x, zero)
        }
        """);
  }

  @Test
  void unrollsBeforeItLooksForGuards() {
    String guarded =
        with(
            SPARSE.replace("float[4, 4] w", "int64 rounds = {2}, float[2, 4, 4] stack"),
            "y = If",
            """
            y = Loop <body = round (int64 i, bool more, float[...] before)
                          => (bool on, float[...] after) {
                  on = Identity (more)
                  after = If""");
    String text =
        guarded
            .replace(
                "out = MatMul (rows, w)",
                "w = Gather <axis = 0> (stack, i)  out = MatMul (rows, w)")
            .replace("(x, at, out)", "(before, at, out)")
            .replace("same = Identity (x)", "same = Identity (before)")
            .replace("> (any)", "> (any) }> (rounds, , x)");
    assertThat(flat(text).nodes()).allMatch(node -> node.subgraphs().isEmpty());
  }
}
