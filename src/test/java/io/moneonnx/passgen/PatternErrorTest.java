package io.moneonnx.passgen;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class PatternErrorTest {
  private static void assertError(String text, String... lines) {
    assertThatThrownBy(
            () -> PatternChecker.check(PatternParser.parse(new Source("passes/P.pattern", text))))
        .isInstanceOf(PatternException.class)
        .hasMessage(String.join(System.lineSeparator(), lines));
  }

  /** A pattern with this body, in line 4 and after. */
  private static String pattern(String body) {
    return """
        // Says what it is.
        pattern P : K (x, const w) => (y)
        {
            %s
        }
        """
        .formatted(body);
  }

  @Test
  void showsTheLineWithACaret() {
    assertError(
        pattern("y = Add (x, w]"),
        "passes/P.pattern:4:18: expected ')', found ']'",
        "    y = Add (x, w]",
        "                 ^");
  }

  @Test
  void namesACharacterThatMeansNothing() {
    assertError(
        pattern("y = Add (x; w)"),
        "passes/P.pattern:4:15: cannot read ';'",
        "    y = Add (x; w)",
        "              ^");
  }

  @Test
  void namesTheEnd() {
    assertError(
        "// Says what it is.\npattern P : K (x) => (y) {",
        "passes/P.pattern:2:27: expected a result, found the end",
        "pattern P : K (x) => (y) {",
        "                          ^");
  }

  @Test
  void refusesAValueThatComesFromNowhere() {
    assertError(
        pattern("y = Add (x, z)"),
        "passes/P.pattern:4:17: 'z' is neither an input nor made here; write _ if it does not matter",
        "    y = Add (x, z)",
        "                ^");
  }

  @Test
  void refusesAValueMadeTwice() {
    assertError(
        pattern("y = Add (x, w) y = Neg (x)"),
        "passes/P.pattern:4:20: 'y' is made twice",
        "    y = Add (x, w) y = Neg (x)",
        "                   ^");
  }

  @Test
  void refusesAnOutputThatNothingMakes() {
    assertError(
        pattern("z = Add (x, w)"),
        "passes/P.pattern:2:32: no statement makes 'y'",
        "pattern P : K (x, const w) => (y)",
        "                               ^");
  }

  @Test
  void refusesAnInputThatNothingUses() {
    assertError(
        pattern("y = Neg (x)"),
        "passes/P.pattern:2:25: no statement uses 'w'",
        "pattern P : K (x, const w) => (y)",
        "                        ^");
  }

  @Test
  void refusesAStatementApart() {
    assertError(
        pattern("z = Neg (w) y = Neg (x)"),
        "passes/P.pattern:4:5: nothing connects this statement with the last",
        "    z = Neg (w) y = Neg (x)",
        "    ^");
  }

  @Test
  void refusesACaptureOfUnknownType() {
    assertError(
        pattern("y = Add <odd = @much> (x, w)"),
        "passes/P.pattern:4:14: the type of attribute 'odd' is not known; add it to CaptureType",
        "    y = Add <odd = @much> (x, w)",
        "             ^");
  }

  @Test
  void refusesTheShapeOfAComputedValue() {
    assertError(
        pattern("y = Add (x [E], w)"),
        "passes/P.pattern:4:14: only constants have a shape to check",
        "    y = Add (x [E], w)",
        "             ^");
  }

  @Test
  void refusesANameThatJavaKeepsForItself() {
    assertError(
        pattern("class = Add (x, w)"),
        "passes/P.pattern:4:5: 'class' cannot be a name in Java",
        "    class = Add (x, w)",
        "    ^");
  }

  @Test
  void refusesAnotherNameForTheFile() {
    assertError(
        "// Says what it is.\npattern Q : K (x) => (y) { y = Neg (x) }",
        "passes/P.pattern:2:9: the file of this pattern must be called Q.pattern",
        "pattern Q : K (x) => (y) { y = Neg (x) }",
        "        ^");
  }
}
