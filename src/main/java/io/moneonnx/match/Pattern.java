package io.moneonnx.match;

import static java.util.stream.Collectors.joining;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A shape of computation: one file of {@code passes/}, whose README explains the language. Values
 * are known by the names that the file gives them.
 *
 * @param through operators that an edge may look past, by their first input
 */
public record Pattern(
    String name,
    String kind,
    List<String> inputs,
    List<String> outputs,
    Set<String> through,
    List<Statement> statements) {

  /** The result that is nobody's: anything may stand there. */
  static final String IGNORED = "_";

  public Pattern {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    through = Set.copyOf(through);
    statements = List.copyOf(statements);
  }

  /**
   * {@code results = expression | expression}.
   *
   * @param text the statement as the file writes it, for messages
   */
  public record Statement(String text, List<String> results, List<Expression> alternatives) {
    public Statement {
      results = List.copyOf(results);
      alternatives = List.copyOf(alternatives);
    }

    Stream<Application> applications() {
      return alternatives.stream()
          .filter(Application.class::isInstance)
          .map(Application.class::cast);
    }

    Stream<Same> sames() {
      return alternatives.stream().filter(Same.class::isInstance).map(Same.class::cast);
    }

    boolean canBe(Node node) {
      return applications().anyMatch(application -> application.isOf(node));
    }

    /** The operators that this statement names, for messages. */
    String operators() {
      return applications().map(Application::operator).distinct().collect(joining(" or "));
    }
  }

  /** One way to compute the results of a statement. */
  public sealed interface Expression {}

  /** The value of another name itself: this step may be missing from the graph. */
  public record Same(String name) implements Expression {}

  /** {@code operator <attributes> (operands)}; operators of other domains are qualified by them. */
  public record Application(String operator, List<AttributeRule> attributes, List<Operand> operands)
      implements Expression {
    public Application {
      attributes = List.copyOf(attributes);
      operands = List.copyOf(operands);
    }

    boolean isOf(Node node) {
      return operator.equals(Operators.qualifiedName(node));
    }
  }

  /** What is asked of one attribute. Attributes without a rule may have any value. */
  public sealed interface AttributeRule {
    String attribute();
  }

  /** {@code attribute = accepted | accepted}. */
  public record OneOf(String attribute, List<Attribute> accepted) implements AttributeRule {
    public OneOf {
      accepted = List.copyOf(accepted);
    }

    public OneOf(String attribute, Attribute... accepted) {
      this(attribute, List.of(accepted));
    }

    @Override
    public String toString() {
      return accepted.stream().map(Operators::text).collect(joining(" | ", attribute + " = ", ""));
    }
  }

  /** {@code attribute = @name}: any value, kept. */
  public record Captured(String attribute, String name) implements AttributeRule {
    @Override
    public String toString() {
      return attribute + " = anything";
    }
  }

  /** What is asked of one input of a node. */
  public sealed interface Operand {}

  /** {@code _}: anything, or nothing. */
  public record Anything() implements Operand {}

  /**
   * A constant with these elements: integers, booleans, float32 or float64. A scalar and a vector
   * of one element are the same.
   */
  public record Literal(List<Double> elements) implements Operand {
    public Literal {
      elements = List.copyOf(elements);
    }

    public Literal(Double... elements) {
      this(List.of(elements));
    }

    boolean isIn(Tensor tensor) {
      return tensor.rank() < 2
          && tensor.elements() == elements.size()
          && switch (tensor.type()) {
            case INT64, INT32, BOOL -> {
              long[] found = tensor.toLongs();
              yield all(i -> found[i] == elements.get(i));
            }
            case FLOAT, DOUBLE, FLOAT16, BFLOAT16 -> {
              float[] found = tensor.toFloats();
              yield all(i -> found[i] == elements.get(i).floatValue());
            }
            default -> false;
          };
    }

    private boolean all(IntPredicate equal) {
      return IntStream.range(0, elements.size()).allMatch(equal);
    }
  }

  /**
   * A value by name.
   *
   * @param constant whether the value must be a constant
   * @param optional whether the input may be left out
   * @param shape sizes, or letters that stand for one size throughout the pattern; empty for any
   */
  public record Use(String name, boolean constant, boolean optional, List<Dimension> shape)
      implements Operand {
    public Use {
      shape = List.copyOf(shape);
    }

    public Use(String name) {
      this(name, false, false, List.of());
    }
  }

  /** The statement that makes {@code name}; empty for what the pattern takes as given. */
  Optional<Statement> maker(String name) {
    return statements.stream().filter(statement -> statement.results().contains(name)).findFirst();
  }

  /**
   * True if {@code node} applies an operator that can make {@code name}, as output {@code value}.
   */
  boolean canMake(String name, Node node, String value) {
    return places(name)
        .getOrDefault(Operators.qualifiedName(node), Collections.emptySortedSet())
        .contains(node.outputs().indexOf(value));
  }

  /** As which of its outputs each operator can make {@code name}. */
  Map<String, SortedSet<Integer>> places(String name) {
    Map<String, SortedSet<Integer>> places = new HashMap<>();
    maker(name).ifPresent(statement -> addPlaces(name, statement, places));
    return places;
  }

  private void addPlaces(String name, Statement statement, Map<String, SortedSet<Integer>> places) {
    int place = statement.results().indexOf(name);
    statement
        .applications()
        .map(Application::operator)
        .forEach(operator -> places.computeIfAbsent(operator, o -> new TreeSet<>()).add(place));
    statement
        .sames()
        .forEach(
            same -> maker(same.name()).ifPresent(other -> addPlaces(same.name(), other, places)));
  }

  boolean isConstant(String name) {
    return statements.stream()
        .flatMap(Statement::applications)
        .flatMap(application -> application.operands().stream())
        .anyMatch(
            operand -> operand instanceof Use use && use.name().equals(name) && use.constant());
  }

  /** The last output of the signature: matches that agree on it rival each other. */
  String result() {
    return outputs.get(outputs.size() - 1);
  }
}
