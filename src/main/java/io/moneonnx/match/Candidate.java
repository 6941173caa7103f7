package io.moneonnx.match;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.match.Pattern.Anything;
import io.moneonnx.match.Pattern.Application;
import io.moneonnx.match.Pattern.AttributeRule;
import io.moneonnx.match.Pattern.Captured;
import io.moneonnx.match.Pattern.Literal;
import io.moneonnx.match.Pattern.OneOf;
import io.moneonnx.match.Pattern.Operand;
import io.moneonnx.match.Pattern.Statement;
import io.moneonnx.match.Pattern.Use;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** One node that a statement may have been computed by. */
record Candidate(Edges edges, Trace trace, Statement statement, Node node) {

  /** All ways in which the node computes the statement by {@code application}. */
  Stream<Bindings> match(Application application, Bindings bound) {
    Stream<Bindings> found = results(bound);
    for (AttributeRule rule : application.attributes()) {
      found = found.flatMap(bindings -> attribute(rule, bindings));
    }
    return found
        .flatMap(bindings -> operands(application.operands(), bindings))
        .map(Bindings::withNode);
  }

  private Stream<Bindings> results(Bindings bound) {
    Optional<Bindings> found = Optional.of(bound);
    for (int i = 0; i < statement.results().size(); i++) {
      String name = statement.results().get(i);
      String value = i < node.outputs().size() ? node.outputs().get(i) : "";
      if (!name.equals(Pattern.IGNORED)) {
        found = value.isEmpty() ? Optional.empty() : found.flatMap(b -> b.with(name, value));
      }
    }
    return found.isPresent()
        ? found.stream()
        : fail(bound, () -> "outputs " + node.outputs(), () -> "the results in their places");
  }

  private Stream<Bindings> attribute(AttributeRule rule, Bindings bound) {
    Optional<Attribute> attribute = Operators.attribute(node, rule.attribute());
    Optional<Bindings> found =
        rule instanceof Captured captured
            ? attribute.flatMap(value -> bound.withAttribute(captured.name(), value))
            : attribute.filter(((OneOf) rule).accepted()::contains).map(value -> bound);
    return found.isPresent()
        ? found.stream()
        : fail(
            bound,
            () -> rule.attribute() + " = " + attribute.map(Operators::text).orElse("nothing"),
            rule::toString);
  }

  private Stream<Bindings> operands(List<Operand> operands, Bindings bound) {
    int size = operands.size();
    if (node.inputs().stream().skip(size).anyMatch(input -> !input.isEmpty())) {
      return fail(bound, () -> node.inputs().size() + " inputs", () -> "at most " + size);
    }
    List<String> inputs = IntStream.range(0, size).mapToObj(node::input).toList();
    Stream<List<String>> orders =
        Operators.isCommutative(node) ? permutations(inputs).distinct() : Stream.of(inputs);
    return orders.flatMap(order -> operands(operands, order, bound));
  }

  private Stream<Bindings> operands(List<Operand> operands, List<String> inputs, Bindings bound) {
    Stream<Bindings> found = Stream.of(bound);
    for (int i = 0; i < operands.size(); i++) {
      Operand operand = operands.get(i);
      String input = inputs.get(i);
      found = found.flatMap(bindings -> operand(operand, input, bindings));
    }
    return found;
  }

  private static Stream<List<String>> permutations(List<String> items) {
    if (items.size() < 2) {
      return Stream.of(items);
    }
    return IntStream.range(0, items.size())
        .boxed()
        .flatMap(
            i -> {
              List<String> rest = new ArrayList<>(items);
              String first = rest.remove((int) i);
              return permutations(rest)
                  .map(tail -> Stream.concat(Stream.of(first), tail.stream()).toList());
            });
  }

  private Stream<Bindings> operand(Operand operand, String input, Bindings bound) {
    if (operand instanceof Anything) {
      return Stream.of(bound);
    } else if (operand instanceof Literal literal) {
      return literal(literal, input, bound);
    }
    Use use = (Use) operand;
    if (input.isEmpty()) {
      return use.optional()
          ? Stream.of(bound)
          : fail(bound, () -> "nothing", () -> "an input '" + use.name() + "'");
    }
    return bound.pattern().maker(use.name()).isPresent()
        ? made(use, input, bound)
        : given(use, input, bound);
  }

  private Stream<Bindings> literal(Literal literal, String input, Bindings bound) {
    String source = edges.source(input);
    Optional<Tensor> constant = edges.graph().constant(source);
    return constant.filter(literal::isIn).isPresent()
        ? Stream.of(bound)
        : fail(bound, () -> describe(source), () -> "the constant " + literal.elements());
  }

  /** A value that another statement makes: the edge may end anywhere along the chain. */
  private Stream<Bindings> made(Use use, String input, Bindings bound) {
    List<Bindings> found =
        edges.upward(input).stream()
            .filter(
                value ->
                    edges
                        .graph()
                        .producer(value)
                        .filter(producer -> bound.pattern().canMake(use.name(), producer, value))
                        .isPresent())
            .flatMap(value -> bound.with(use.name(), value).stream())
            .toList();
    return found.isEmpty()
        ? fail(bound, () -> describe(edges.source(input)), () -> standing(use, bound))
        : found.stream();
  }

  /** A value that the pattern takes as given: the edge ends as far up as it goes. */
  private Stream<Bindings> given(Use use, String input, Bindings bound) {
    String source = edges.source(input);
    Optional<Bindings> found = bound.with(use.name(), source);
    if (found.isEmpty()) {
      return fail(bound, () -> describe(source), () -> standing(use, bound));
    } else if (!use.constant()) {
      return found.stream();
    }
    Optional<Tensor> constant = edges.graph().constant(source);
    if (constant.isEmpty()) {
      return fail(bound, () -> describe(source), () -> "a constant '" + use.name() + "'");
    } else if (use.shape().isEmpty() || !source.equals(input)) {
      return found.stream();
    }
    Optional<Bindings> shaped = shape(use.shape(), constant.get().dims(), found.get());
    return shaped.isPresent()
        ? shaped.stream()
        : fail(
            bound,
            () -> "'" + source + "' " + constant.get().dims(),
            () -> use.name() + " " + use.shape());
  }

  private static Optional<Bindings> shape(List<Dimension> wanted, List<Long> dims, Bindings bound) {
    Optional<Bindings> found = Optional.of(bound).filter(b -> dims.size() == wanted.size());
    for (int i = 0; i < dims.size() && found.isPresent(); i++) {
      Dimension dimension = wanted.get(i);
      long size = dims.get(i);
      found =
          dimension.isFixed()
              ? found.filter(b -> dimension.size() == size)
              : found.flatMap(b -> b.withSize(dimension.symbol(), size));
    }
    return found;
  }

  private static String standing(Use use, Bindings bound) {
    return "'"
        + use.name()
        + "'"
        + bound.find(use.name()).map(value -> " = '" + value + "'").orElse("");
  }

  private String describe(String value) {
    return "'%s' (%s)"
        .formatted(
            value, edges.graph().producer(value).map(Operators::qualifiedName).orElse("no node"));
  }

  private Stream<Bindings> fail(Bindings bound, Supplier<String> found, Supplier<String> wanted) {
    return trace.fail(bound, statement, node.label(), found, wanted);
  }
}
