package io.moneonnx.canonical;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Function;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FunctionsTest {
  private static final String FFN =
      "ffn (float a, float w) => (float b) { t = MatMul (a, w) b = Tanh (t) }";

  /** A function of domain {@code local}, written as a graph. */
  static Function function(String text) {
    Graph body = GraphText.parse(text);
    return new Function(
        "local",
        body.name(),
        "",
        body.inputs().stream().map(Value::name).toList(),
        body.outputs().stream().map(Value::name).toList(),
        List.of(),
        Map.of(),
        body.nodes(),
        Map.of("", 18L),
        UnknownFields.NONE);
  }

  private static Function with(Function f, Map<String, Attribute> defaults, Map<String, Long> set) {
    return new Function(
        f.domain(),
        f.name(),
        f.overload(),
        f.inputs(),
        f.outputs(),
        List.of(),
        defaults,
        f.nodes(),
        set,
        UnknownFields.NONE);
  }

  static Model model(String text, Function... functions) {
    return new Model(
        GraphText.parse(text),
        8,
        Map.of("", 18L, "local", 1L),
        Map.of(),
        Arrays.asList(functions),
        UnknownFields.NONE);
  }

  private static void assertInlined(Model model, String expected) {
    Model inlined = Canonical.of(model).model();
    assertThat(inlined.graph().toString()).isEqualTo(GraphText.parse(expected).toString());
    assertThat(inlined.functions()).isEmpty();
  }

  @Test
  void putsEveryCallsNodesInItsPlace() {
    Model model =
        model(
            """
            g (float x) => (float y) <float[1, 1] u, float[1, 1] v>
            { h = local.ffn (x, u) y = local.ffn (h, v) }
            """,
            function(FFN));
    assertInlined(
        model,
        """
        g (float x) => (float y) <float[1, 1] u, float[1, 1] v>
        { h/t = MatMul (x, u) h = Tanh (h/t) y/t = MatMul (h, v) y = Tanh (y/t) }
        """);
    assertThat(Canonical.of(model).model().opsets()).containsOnlyKeys("");
  }

  @Test
  void takesNoNameThatIsTaken() {
    assertInlined(
        model("g (float x, float y/t) => (float y) { y = local.ffn (x, y/t) }", function(FFN)),
        "g (float x, float y/t) => (float y) { y/t_1 = MatMul (x, y/t) y = Tanh (y/t_1) }");
  }

  @Test
  void inlinesFunctionsInFunctionsAndInBranches() {
    Function twice =
        function("twice (float a) => (float b) { m = local.half (a) b = local.half (m) }");
    Function half = function("half (float a) => (float b) { b = Neg (a) }");
    assertInlined(
        model(
            """
            g (float x, bool c) => (float y)
            {
              y = If <then_branch = t () => (float p) { p = local.twice (x) },
                      else_branch = e () => (float q) { q = local.half (x) }> (c)
            }
            """,
            twice,
            half),
        """
        g (float x, bool c) => (float y)
        {
          y = If <then_branch = t () => (float p) { p/m = Neg (x) p = Neg (p/m) },
                  else_branch = e () => (float q) { q = Neg (x) }> (c)
        }
        """);
  }

  @Test
  void renamesWhatSubgraphsOfAFunctionCaptureAndMake() {
    Function choice =
        function(
            """
            choice (float a, bool c) => (float b)
            {
              m = Neg (a)
              b = If <then_branch = t () => (float p) { p = Abs (m) },
                      else_branch = e () => (float p) { p = Identity (a) }> (c)
            }
            """);
    assertInlined(
        model("g (float x, bool z) => (float y) { y = local.choice (x, z) }", choice),
        """
        g (float x, bool z) => (float y)
        {
          y/m = Neg (x)
          y = If <then_branch = t () => (float y/p) { y/p = Abs (y/m) },
                  else_branch = e () => (float y/p_1) { y/p_1 = Identity (x) }> (z)
        }
        """);
  }

  @Test
  void bindsAttributesToWhatTheCallGivesOrTheDefault() {
    Attribute reference = new Attribute.Reference("slope", UnknownFields.NONE);
    Function plain = function("leaky (float a) => (float b) { b = LeakyRelu (a) }");
    Function leaky =
        new Function(
            "local",
            "leaky",
            "",
            plain.inputs(),
            plain.outputs(),
            List.of(),
            Map.of("slope", new Attribute.OfFloat(0.5f)),
            List.of(plain.nodes().get(0).withAttribute("alpha", reference)),
            plain.opsets(),
            UnknownFields.NONE);
    String text =
        "g (float x) => (float z) { y = local.leaky <slope = 2.0> (x) z = local.leaky (y) }";
    String expected =
        "g (float x) => (float z) { y = LeakyRelu <alpha = 2.0> (x) z = LeakyRelu $ (y) }";
    assertInlined(model(text, leaky), expected.replace("$", "<alpha = 0.5>"));
    assertInlined(model(text, with(leaky, Map.of(), Map.of())), expected.replace("$", ""));
  }

  @Test
  void leavesOutWhatTheCallLeavesOut() {
    Function clip =
        function(
            """
            clip (float a, float low, float high) => (float b, float c)
            { b = Clip (a, low, high) c = Neg (b) }
            """);
    assertInlined(
        model("g (float x, float h) => (float y) { y = local.clip (x, , h) }", clip),
        "g (float x, float h) => (float y) { y = Clip (x, , h) }");
    assertInlined(
        model("g (float x) => (float y) { \"\", y = local.clip (x) }", clip),
        "g (float x) => (float y) { y/b = Clip (x, \"\", \"\") y = Neg (y/b) }");
  }

  @Test
  void passesOnWhatAFunctionPutsOutAsItCameIn() {
    Function same = function("same (float a) => (float a, float a) { b = Neg (a) }");
    assertInlined(
        model("g (float x) => (float y, float z) { y, z = local.same (x) }", same),
        "g (float x) => (float y, float z) { y = Identity (x) z = Identity (x) }");
  }

  @Test
  void tellsOverloadsApart() {
    Function ffn = function(FFN);
    Function other =
        new Function(
            "local",
            "ffn",
            "bias",
            List.of("a"),
            List.of("b"),
            List.of(),
            Map.of(),
            List.of(Node.of("Neg", List.of("a"), List.of("b"), Map.of())),
            Map.of(),
            UnknownFields.NONE);
    Node call =
        new Node(
            "ffn", "local", "bias", "", List.of("x"), List.of("y"), Map.of(), UnknownFields.NONE);
    Model model = model("g (float x) => (float y) { }", ffn, other);
    assertInlined(
        model.withGraph(model.graph().withNodes(List.of(call))),
        "g (float x) => (float y) { y = Neg (x) }");
  }

  @Test
  void takesOverOperatorSetsThatOnlyTheFunctionHas() {
    Function gelu =
        with(
            function("gelu (float a) => (float b) { b = com.microsoft.Gelu (a) }"),
            Map.of(),
            Map.of("com.microsoft", 1L));
    Model model = model("g (float x) => (float y) { y = local.gelu (x) }", gelu);
    assertThat(Canonical.of(model).model().opsets())
        .isEqualTo(Map.of("", 18L, "com.microsoft", 1L));
  }

  @Test
  void refusesFunctionsForAnotherVersion() {
    Function old = with(function(FFN), Map.of(), Map.of("", 12L));
    assertRefused(
        model("g (float x) => (float y) { y = local.ffn (x, x) }", old),
        "function 'local.ffn' is written for version 12 of ai.onnx, the model for version 18: they"
            + " cannot be put together");
  }

  @Test
  void refusesFunctionsThatCallThemselves() {
    Function one = function("one (float a) => (float b) { b = local.two (a) }");
    Function two = function("two (float a) => (float b) { b = local.one (a) }");
    assertRefused(
        model("g (float x) => (float y) { y = local.one (x) }", one, two),
        "function 'local.one' calls itself");
  }

  @Test
  void refusesFunctionsThatAreNotClosed() {
    assertRefused(
        model(
            "g (float x) => (float y) { y = local.f (x) }",
            function("f (float a) => (float b) { b = Add (a, x) }")),
        "function 'local.f' reads 'x', which nothing before makes");
    assertRefused(
        model(
            "g (float x) => (float y) { y = local.f (x) }",
            function("f (float a) => (float b) { c = Neg (a) }")),
        "function 'local.f' does not make its outputs [b]");
    assertRefused(
        model("g (float x) => (float y) { y = local.ffn (x, x, x) }", function(FFN)),
        "function 'local.ffn' takes 2 values and makes 1; ffn -> y gives it 3 and wants 1");
  }

  private static void assertRefused(Model model, String message) {
    assertThatThrownBy(() -> Canonical.of(model).model())
        .isInstanceOf(BadInputException.class)
        .hasMessage(message);
  }
}
