package io.moneonnx.passgen;

import io.moneonnx.passgen.PatternTree.Attribute;
import io.moneonnx.passgen.PatternTree.Same;
import io.moneonnx.passgen.PatternTree.Statement;
import io.moneonnx.passgen.PatternTree.Variable;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.lang.model.SourceVersion;

/** Finds what the grammar cannot: names without a meaning, or with two. */
final class PatternChecker {
  private final PatternTree pattern;
  private final Set<String> inputs = new HashSet<>();
  private final Set<String> made = new HashSet<>();

  private PatternChecker(PatternTree pattern) {
    this.pattern = pattern;
  }

  /** Throws {@link PatternException} at the first mistake. */
  static void check(PatternTree pattern) {
    PatternChecker checker = new PatternChecker(pattern);
    checker.checkNames();
    checker.checkResults();
    checker.checkOutputs();
    pattern.statements().forEach(checker::checkStatement);
    pattern.inputs().forEach(checker::checkInput);
    pattern.captures().forEach(checker::checkCapture);
    checker.checkConnected();
  }

  private void checkNames() {
    require(
        pattern.name().is(pattern.source().stem()),
        pattern.name(),
        "the file of this pattern must be called " + pattern.name().text() + ".pattern");
    require(
        !pattern.comment().isEmpty(), pattern.name(), "say in a comment above what this computes");
  }

  private void checkResults() {
    for (Variable input : pattern.inputs()) {
      requireIdentifier(input.name());
      require(inputs.add(input.name().text()), input.name(), input.name() + " is an input twice");
    }
    for (Statement statement : pattern.statements()) {
      for (Token result : statement.results()) {
        if (!result.is("_")) {
          requireIdentifier(result);
          require(!inputs.contains(result.text()), result, result + " is an input, and made here");
          require(made.add(result.text()), result, result + " is made twice");
        }
      }
    }
  }

  private void checkOutputs() {
    for (Token output : pattern.outputs()) {
      require(made.contains(output.text()), output, "no statement makes " + output);
    }
  }

  private void checkStatement(Statement statement) {
    for (Same same : statement.sames().toList()) {
      require(
          statement.results().size() == 1 && made.contains(same.name().text()),
          same.name(),
          "a step that may be missing has one result and stands for a value made here");
    }
    require(
        statement.applications().findAny().isPresent(),
        statement.results().get(0),
        "this is but another name: use "
            + statement.sames().findAny().map(Same::name).orElse(null));
    statement.variables().forEach(this::checkUse);
  }

  private void checkUse(Variable use) {
    String name = use.name().text();
    boolean given = !made.contains(name);
    require(
        !given || inputs.contains(name) || use.constant(),
        use.name(),
        use.name() + " is neither an input nor made here; write _ if it does not matter");
    require(given || !use.optional(), use.name(), "only what is given can be optional");
    require(given || !use.constant(), use.name(), "only what is given can be constant");
    require(
        use.shape().isEmpty() || pattern.isConstant(name),
        use.name(),
        "only constants have a shape to check");
  }

  private void checkInput(Variable input) {
    require(
        pattern.mentions(input.name().text()).count() > 1,
        input.name(),
        "no statement uses " + input.name());
  }

  private void checkCapture(Attribute attribute) {
    Token capture = attribute.capture().orElseThrow();
    requireIdentifier(capture);
    require(
        CaptureType.of(attribute).isPresent(),
        attribute.name(),
        "the type of attribute " + attribute.name() + " is not known; add it to CaptureType");
    require(
        !inputs.contains(capture.text()) && !made.contains(capture.text()),
        capture,
        capture + " is a value as well");
  }

  /** A search goes from statement to statement along the values they share, but for constants. */
  private void checkConnected() {
    Set<String> reached = new LinkedHashSet<>(values(lastStatement()).toList());
    int before;
    do {
      before = reached.size();
      for (Statement statement : pattern.statements()) {
        if (values(statement).anyMatch(reached::contains)) {
          reached.addAll(values(statement).collect(Collectors.toSet()));
        }
      }
    } while (reached.size() > before);
    for (Statement statement : pattern.statements()) {
      require(
          values(statement).anyMatch(reached::contains),
          statement.results().get(0),
          "nothing connects this statement with the last");
    }
  }

  private Statement lastStatement() {
    return pattern.statements().get(pattern.statements().size() - 1);
  }

  private Stream<String> values(Statement statement) {
    return Stream.of(
            statement.results().stream(),
            statement.sames().map(Same::name),
            statement.variables().map(Variable::name))
        .flatMap(names -> names)
        .map(Token::text)
        .filter(name -> !name.equals("_") && !pattern.isConstant(name));
  }

  private void requireIdentifier(Token token) {
    require(
        SourceVersion.isName(token.text()) && !token.text().contains("."),
        token,
        token + " cannot be a name in Java");
  }

  private void require(boolean holds, Token at, String otherwise) {
    if (!holds) {
      throw pattern.source().error(at, otherwise);
    }
  }
}
