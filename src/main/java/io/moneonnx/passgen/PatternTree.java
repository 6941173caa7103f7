package io.moneonnx.passgen;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A pattern file as parsed, each part with the place it comes from.
 *
 * @param comment what the file says of the pattern, before it begins
 */
record PatternTree(
    Source source,
    String comment,
    Token name,
    Token kind,
    List<Variable> inputs,
    List<Token> outputs,
    List<Token> through,
    List<Statement> statements) {

  record Statement(String text, List<Token> results, List<Expression> alternatives) {
    Stream<Application> applications() {
      return alternatives.stream()
          .filter(Application.class::isInstance)
          .map(Application.class::cast);
    }

    Stream<Same> sames() {
      return alternatives.stream().filter(Same.class::isInstance).map(Same.class::cast);
    }

    Stream<Variable> variables() {
      return applications()
          .flatMap(application -> application.operands().stream())
          .filter(Variable.class::isInstance)
          .map(Variable.class::cast);
    }
  }

  sealed interface Expression {}

  record Same(Token name) implements Expression {}

  record Application(Token operator, List<Attribute> attributes, List<Operand> operands)
      implements Expression {}

  /** Either a capture or the accepted values. */
  record Attribute(Token name, Optional<Token> capture, List<Value> accepted) {}

  /** A number, a string or a list of integers. */
  record Value(boolean list, List<Token> items) {}

  sealed interface Operand {}

  record Anything() implements Operand {}

  record Literal(List<Token> elements) implements Operand {}

  record Variable(boolean constant, Token name, boolean optional, List<Token> shape)
      implements Operand {}

  Stream<Attribute> captures() {
    return statements.stream()
        .flatMap(Statement::applications)
        .flatMap(application -> application.attributes().stream())
        .filter(attribute -> attribute.capture().isPresent());
  }

  /** Every mention of a value by name that is not its making. */
  Stream<Variable> mentions(String name) {
    return Stream.concat(inputs.stream(), statements.stream().flatMap(Statement::variables))
        .filter(variable -> variable.name().is(name));
  }

  boolean isConstant(String name) {
    return mentions(name).anyMatch(Variable::constant);
  }

  boolean isOptional(String name) {
    return mentions(name).anyMatch(Variable::optional);
  }
}
