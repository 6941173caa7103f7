package io.moneonnx.match;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.match.Pattern.Anything;
import io.moneonnx.match.Pattern.Application;
import io.moneonnx.match.Pattern.AttributeRule;
import io.moneonnx.match.Pattern.Captured;
import io.moneonnx.match.Pattern.Expression;
import io.moneonnx.match.Pattern.Literal;
import io.moneonnx.match.Pattern.OneOf;
import io.moneonnx.match.Pattern.Operand;
import io.moneonnx.match.Pattern.Same;
import io.moneonnx.match.Pattern.Statement;
import io.moneonnx.match.Pattern.Use;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MatcherTest {
  private static Graph graph(String nodes) {
    return GraphText.parse(
        """
        test (float[T, 4] a, float[T, 4] b, float[T, 4] c) => (float[T, 4] y)
        <float[4, 8] wide, float[8, 4] tall, float[4, 6] odd, int64[1] axis = {-1},
         int64 number = {3}, float half = {0.5}>
        {
        %s
        }
        """
            .formatted(nodes));
  }

  private static Pattern pattern(List<String> inputs, String output, Statement... statements) {
    return new Pattern(
        "Test", "Kind", inputs, List.of(output), Set.of("Cast"), List.of(statements));
  }

  private static Statement let(String result, Expression... alternatives) {
    return new Statement(result + " = ...", List.of(result), List.of(alternatives));
  }

  private static Application apply(String operator, Operand... operands) {
    return new Application(operator, List.of(), List.of(operands));
  }

  private static Application apply(String operator, AttributeRule rule, Operand... operands) {
    return new Application(operator, List.of(rule), List.of(operands));
  }

  private static Use use(String name) {
    return new Use(name);
  }

  private static Use constant(String name, String... letters) {
    return new Use(name, true, false, List.of(letters).stream().map(Dimension::of).toList());
  }

  private static List<Bindings> find(Pattern pattern, String nodes) {
    return Matcher.findAll(graph(nodes), List.of(pattern));
  }

  private static final Pattern SQUARE =
      pattern(List.of("x"), "y", let("y", apply("Sub", use("x"), use("x"))));

  @Test
  void takesANameForOneValue() {
    assertThat(find(SQUARE, "y = Sub (a, a)")).hasSize(1);
    assertThat(find(SQUARE, "y = Sub (a, b)")).isEmpty();
  }

  @Test
  void looksPastOperatorsToWhatIsGiven() {
    assertThat(
            find(
                SQUARE,
                "half1 = Cast <to = 10> (a)\nhalf2 = Cast <to = 1> (half1)\ny = Sub (half2, a)"))
        .singleElement()
        .returns("a", found -> found.value("x"));
  }

  @Test
  void looksPastNoOtherOperators() {
    assertThat(find(SQUARE, "n = Neg (a)\ny = Sub (n, a)")).isEmpty();
  }

  @Test
  void triesBothOrdersOfACommutativeOperator() {
    Pattern pattern =
        pattern(
            List.of("x", "z"),
            "y",
            let("n", apply("Neg", use("x"))),
            let("y", apply("Add", use("n"), use("z"))));
    assertThat(find(pattern, "n = Neg (a)\ny = Add (b, n)"))
        .singleElement()
        .returns("a", found -> found.value("x"))
        .returns("b", found -> found.value("z"));
  }

  @Test
  void keepsTheOrderOfOtherOperators() {
    Pattern pattern =
        pattern(
            List.of("x", "z"),
            "y",
            let("n", apply("Neg", use("x"))),
            let("y", apply("Sub", use("n"), use("z"))));
    assertThat(find(pattern, "n = Neg (a)\ny = Sub (b, n)")).isEmpty();
  }

  @Test
  void goesBackOnAChoiceThatALaterStatementRefutes() {
    Pattern pattern =
        pattern(
            List.of("x", "z"),
            "y",
            let("e", apply("Exp", use("x"))),
            let("n", apply("Neg", use("e"))),
            let("m", apply("Neg", use("z"))),
            let("y", apply("Add", use("m"), use("n"))));
    assertThat(find(pattern, "e = Exp (a)\nn = Neg (e)\nm = Neg (b)\ny = Add (n, m)"))
        .singleElement()
        .returns("b", found -> found.value("z"));
  }

  @Test
  void findsAStatementAmongTheReadersOfWhatIsKnown() {
    Pattern pattern =
        new Pattern(
            "Test",
            "Kind",
            List.of("x"),
            List.of("other", "y"),
            Set.of("Cast"),
            List.of(
                let("e", apply("Exp", use("x"))),
                let("other", apply("Neg", use("e"))),
                let("y", apply("Sqrt", use("e")))));
    assertThat(find(pattern, "e = Exp (a)\nh = Cast <to = 10> (e)\no = Neg (h)\ny = Sqrt (e)"))
        .singleElement()
        .returns("o", found -> found.value("other"));
  }

  @Test
  void findsEveryReader() {
    Pattern pattern = pattern(List.of("x"), "y", let("y", apply("Neg", use("x"))));
    Graph graph = graph("n = Neg (a)\nh = Cast <to = 10> (a)\nm = Neg (h)\ny = Neg (b)");
    assertThat(Matcher.findAll(graph, List.of(pattern), "x", "a"))
        .extracting(found -> found.value("y"))
        .containsExactly("n", "m");
    assertThat(Matcher.findAll(graph, List.of(pattern), "y", "y"))
        .extracting(found -> found.value("x"))
        .containsExactly("b");
    assertThat(Matcher.findAll(graph, List.of(pattern), "unheard", "a")).isEmpty();
  }

  private static final Pattern PROJECTIONS =
      pattern(
          List.of("x", "up", "down"),
          "y",
          let("wide", apply("MatMul", use("x"), constant("up", "H", "I"))),
          let("y", apply("MatMul", use("wide"), constant("down", "I", "H"))));

  @Test
  void takesALetterForOneSize() {
    assertThat(find(PROJECTIONS, "h = MatMul (a, wide)\ny = MatMul (h, tall)")).hasSize(1);
    assertThat(find(PROJECTIONS, "h = MatMul (a, odd)\ny = MatMul (h, tall)")).isEmpty();
  }

  @Test
  void leavesTheShapeBehindAnOperatorUnchecked() {
    assertThat(
            find(PROJECTIONS, "w = Cast <to = 1> (odd)\nh = MatMul (a, w)\ny = MatMul (h, tall)"))
        .singleElement()
        .returns("odd", found -> found.constant("up").value());
  }

  @Test
  void takesNoComputedValueForAConstant() {
    assertThat(find(PROJECTIONS, "h = MatMul (a, b)\ny = MatMul (h, tall)")).isEmpty();
  }

  @Test
  void comparesConstantsByValueWhereverTheyLive() {
    Pattern pattern =
        pattern(List.of("x"), "y", let("y", apply("ReduceSum", use("x"), new Literal(-1.0))));
    assertThat(find(pattern, "y = ReduceSum (a, axis)")).hasSize(1);
    assertThat(find(pattern, "m = Constant <value_int = -1> ()\ny = ReduceSum (a, m)")).hasSize(1);
    assertThat(find(pattern, "i = Identity (axis)\ny = ReduceSum (a, i)")).hasSize(1);
    assertThat(find(pattern, "y = ReduceSum (a, number)")).isEmpty();
  }

  @Test
  void comparesFractions() {
    Pattern pattern =
        pattern(List.of("x"), "y", let("y", apply("Mul", use("x"), new Literal(0.5))));
    assertThat(find(pattern, "y = Mul (half, a)")).hasSize(1);
  }

  private static final Pattern BIASED =
      pattern(
          List.of("x", "w", "bias"),
          "y",
          let(
              "y",
              apply("Gemm", use("x"), constant("w"), new Use("bias", false, true, List.of()))));

  @Test
  void bindsAnOptionalInputIfItIsThere() {
    assertThat(find(BIASED, "y = Gemm (a, wide, b)"))
        .singleElement()
        .satisfies(found -> assertThat(found.find("bias")).contains("b"));
    assertThat(find(BIASED, "y = Gemm (a, wide)"))
        .singleElement()
        .satisfies(found -> assertThat(found.find("bias")).isEmpty());
  }

  @Test
  void allowsNoInputThatThePatternDoesNotName() {
    Pattern pattern = pattern(List.of("x"), "y", let("y", apply("Gemm", use("x"), new Anything())));
    assertThat(find(pattern, "y = Gemm (a, wide)")).hasSize(1);
    assertThat(find(pattern, "y = Gemm (a, wide, b)")).isEmpty();
  }

  @Test
  void fillsInTheDefaultsOfAttributes() {
    Pattern pattern =
        pattern(
            List.of("x"),
            "y",
            let("y", apply("Softmax", new OneOf("axis", Attribute.of(-1)), use("x"))));
    assertThat(find(pattern, "y = Softmax (a)")).hasSize(1);
    assertThat(find(pattern, "y = Softmax <axis = 0> (a)")).isEmpty();
  }

  @Test
  void keepsCapturedAttributes() {
    Pattern pattern =
        pattern(
            List.of("x"),
            "y",
            let("y", apply("Transpose", new Captured("perm", "order"), use("x"))));
    assertThat(find(pattern, "y = Transpose <perm = [1, 0]> (a)"))
        .singleElement()
        .returns(List.of(1L, 0L), found -> found.integers("order"));
  }

  @Test
  void matchesResultsByTheirPlaces() {
    Statement split =
        new Statement(
            "_, high = ...",
            List.of("_", "high"),
            List.of(apply("Split", use("x"), new Anything())));
    Pattern pattern = pattern(List.of("x"), "y", split, let("y", apply("Neg", use("high"))));
    assertThat(find(pattern, "l, h = Split (a, axis)\ny = Neg (h)")).hasSize(1);
    assertThat(find(pattern, "l, h = Split (a, axis)\ny = Neg (l)")).isEmpty();
  }

  @Test
  void triesAlternativesInTurn() {
    Pattern pattern =
        pattern(
            List.of("x"),
            "y",
            let("e", apply("Exp", use("x")), apply("Sqrt", use("x"))),
            let("y", apply("Neg", use("e"))));
    assertThat(find(pattern, "e = Sqrt (a)\ny = Neg (e)")).hasSize(1);
  }

  private static final Pattern PERHAPS_SCALED =
      pattern(
          List.of("x"),
          "y",
          let("n", apply("Neg", use("x"))),
          let("y", apply("Mul", use("n"), constant("scale")), new Same("n")));

  @Test
  void letsAStepBeMissing() {
    assertThat(find(PERHAPS_SCALED, "y = Neg (a)"))
        .singleElement()
        .returns("y", found -> found.value("y"))
        .returns(1, Bindings::nodes);
  }

  @Test
  void findsAStepThatMayBeMissing() {
    Graph graph = graph("n = Neg (a)\ny = Mul (n, half)");
    assertThat(Matcher.findAll(graph, List.of(PERHAPS_SCALED), "y", "y"))
        .singleElement()
        .returns(2, Bindings::nodes);
  }

  @Test
  void remembersTheDeepestFailure() {
    Graph graph = graph("n = Neg (a)\nh = MatMul (n, odd)\nm = Exp (h)\ny = MatMul (h, tall)");
    assertThat(Matcher.why(graph, PROJECTIONS))
        .hasValueSatisfying(
            failure -> {
              assertThat(failure.depth()).isEqualTo(1);
              assertThat(failure.node()).isEqualTo("MatMul -> h");
              assertThat(failure.found()).isEqualTo("'odd' [4, 6]");
              assertThat(failure.wanted()).isEqualTo("up [H, I]");
            });
  }

  @Test
  void saysThatThereIsNothingToBeginAt() {
    assertThat(Matcher.why(graph("y = Neg (a)"), SQUARE).orElseThrow().message())
        .isEqualTo("Test: y = ...: at 'test' found no such node, expected Sub");
  }

  @Test
  void hasNothingToSayOfAMatch() {
    assertThat(Matcher.why(graph("y = Sub (a, a)"), SQUARE)).isEmpty();
  }

  /** By the memory that a search takes on its way: that is the same on every machine. */
  @Test
  void twiceTheNodesAreTwiceTheWork() {
    searched(500);

    assertThat(searched(8_000)).isLessThan(3 * searched(4_000));
  }

  private static long searched(int nodes) {
    StringBuilder text = new StringBuilder("v0 = Add (a, b)\n");
    for (int i = 1; i < nodes; i++) {
      text.append("v%d = Add (v%d, b)%n".formatted(i, i - 1));
    }
    Graph graph = graph(text + "n = Neg (c)\ny = Add (v%d, n)".formatted(nodes - 1));
    Pattern pattern =
        pattern(
            List.of("x", "z"),
            "y",
            let("n", apply("Neg", use("z"))),
            let("y", apply("Add", use("x"), use("n"))));
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    assertThat(Matcher.findAll(graph, List.of(pattern))).hasSize(1);
    return threads.getCurrentThreadAllocatedBytes() - before;
  }
}
