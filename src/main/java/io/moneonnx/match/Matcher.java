package io.moneonnx.match;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.match.Pattern.Application;
import io.moneonnx.match.Pattern.Statement;
import io.moneonnx.match.Pattern.Use;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Finds patterns in a graph, by backtracking.
 *
 * <p>A search starts from a value that is given, or from every node that can make the pattern's
 * last output. From there, a statement with a known result is tried at the node that makes it, one
 * with a known operand at the nodes that read it.
 *
 * <p>Matches rival each other if they agree on the last output of their signatures; those that
 * explain most nodes win.
 */
public final class Matcher {
  private final Pattern pattern;
  private final Edges edges;
  private final Trace trace = new Trace();

  private Matcher(Graph graph, Pattern pattern) {
    this.pattern = pattern;
    this.edges = new Edges(graph, pattern.through());
  }

  /** All matches of {@code patterns} anywhere in the graph, without those that lost to a rival. */
  public static List<Bindings> findAll(Graph graph, List<Pattern> patterns) {
    return winners(
        patterns.stream()
            .map(pattern -> new Matcher(graph, pattern))
            .flatMap(matcher -> matcher.anywhere(matcher.none())));
  }

  /**
   * The matches in which {@code name}, of the patterns' signatures, stands for {@code value}; a
   * pattern without such a name has none.
   */
  public static List<Bindings> findAll(
      Graph graph, List<Pattern> patterns, String name, String value) {
    return winners(
        patterns.stream().flatMap(pattern -> new Matcher(graph, pattern).from(name, value)));
  }

  /** Why {@code pattern} matches nowhere; empty if it does match. */
  public static Optional<MatchFailure> why(Graph graph, Pattern pattern) {
    Matcher matcher = new Matcher(graph, pattern);
    return matcher.anywhere(matcher.none()).findAny().isPresent()
        ? Optional.empty()
        : matcher.trace.deepest();
  }

  /** Why {@code pattern} does not match with {@code name} standing for {@code value}. */
  public static Optional<MatchFailure> why(
      Graph graph, Pattern pattern, String name, String value) {
    Matcher matcher = new Matcher(graph, pattern);
    return matcher.from(name, value).findAny().isPresent()
        ? Optional.empty()
        : matcher.trace.deepest();
  }

  /** The failure of the pattern that came farthest; empty if one of them does match. */
  public static Optional<MatchFailure> nearest(
      Graph graph, List<Pattern> patterns, String name, String value) {
    List<Optional<MatchFailure>> failures =
        patterns.stream().map(pattern -> why(graph, pattern, name, value)).toList();
    return failures.stream().anyMatch(Optional::isEmpty)
        ? Optional.empty()
        : failures.stream()
            .flatMap(Optional::stream)
            .max(Comparator.comparingInt(MatchFailure::depth));
  }

  private static List<Bindings> winners(Stream<Bindings> matches) {
    BinaryOperator<Bindings> larger = (one, other) -> other.nodes() > one.nodes() ? other : one;
    Collection<Bindings> distinct =
        matches
            .collect(
                Collectors.toMap(
                    match -> List.of(match.pattern().name(), match.captures()),
                    Function.identity(),
                    larger,
                    LinkedHashMap::new))
            .values();
    Map<String, Integer> most =
        distinct.stream().collect(Collectors.toMap(Matcher::result, Bindings::nodes, Math::max));
    return distinct.stream().filter(match -> match.nodes() == most.get(result(match))).toList();
  }

  private static String result(Bindings match) {
    return match.value(match.pattern().result());
  }

  private Stream<Bindings> anywhere(Bindings start) {
    String result = pattern.result();
    Map<String, SortedSet<Integer>> places = pattern.places(result);
    List<String> ends = new ArrayList<>();
    for (Node node : edges.graph().nodes()) {
      SortedSet<Integer> ofNode = places.get(Operators.qualifiedName(node));
      if (ofNode != null) {
        ofNode.headSet(node.outputs().size()).forEach(place -> ends.add(node.outputs().get(place)));
      }
    }
    ends.removeIf(String::isEmpty);
    if (ends.isEmpty()) {
      Statement last = pattern.maker(result).orElseThrow();
      return trace.fail(start, last, edges.graph().name(), () -> "no such node", last::operators);
    }
    return ends.stream()
        .flatMap(value -> start.with(result, value).stream())
        .flatMap(bound -> complete(bound, pattern.statements()));
  }

  private Stream<Bindings> from(String name, String value) {
    boolean input = pattern.inputs().contains(name);
    if (!input && !pattern.outputs().contains(name)) {
      return Stream.empty();
    }
    Bindings start = none().with(name, input ? edges.source(value) : value).orElseThrow();
    return pattern.isConstant(name) ? anywhere(start) : complete(start, pattern.statements());
  }

  private Bindings none() {
    return Bindings.none(edges.graph(), pattern);
  }

  private Stream<Bindings> complete(Bindings bound, List<Statement> pending) {
    if (pending.isEmpty()) {
      return Stream.of(bound);
    }
    Statement next = next(bound, pending);
    List<Statement> rest = new ArrayList<>(pending);
    rest.removeIf(statement -> statement.results().equals(next.results()));
    return Stream.concat(computed(next, bound), skipped(next, bound))
        .flatMap(more -> complete(more, rest));
  }

  private static Statement next(Bindings bound, List<Statement> pending) {
    return pending.stream()
        .filter(statement -> knownResult(statement, bound).isPresent())
        .findFirst()
        .or(
            () ->
                pending.stream()
                    .filter(statement -> knownOperands(statement, bound).findAny().isPresent())
                    .findFirst())
        .orElseThrow(() -> new IllegalStateException(bound + " leaves no way to go on"));
  }

  private Stream<Bindings> computed(Statement statement, Bindings bound) {
    Optional<String> result = knownResult(statement, bound);
    List<Node> nodes =
        result.isPresent()
            ? edges.graph().producer(result.get()).stream().toList()
            : knownOperands(statement, bound).distinct().flatMap(edges::readers).toList();
    if (nodes.stream().noneMatch(statement::canBe)) {
      String from = result.or(() -> knownOperands(statement, bound).findFirst()).orElseThrow();
      return trace.fail(
          bound,
          statement,
          from,
          () -> nodes.stream().map(Operators::qualifiedName).distinct().toList().toString(),
          statement::operators);
    }
    return nodes.stream()
        .flatMap(
            node ->
                statement
                    .applications()
                    .filter(application -> application.isOf(node))
                    .flatMap(
                        application ->
                            new Candidate(edges, trace, statement, node)
                                .match(application, bound)));
  }

  /** The ways in which the statement's result is that of another, because the step is missing. */
  private static Stream<Bindings> skipped(Statement statement, Bindings bound) {
    String result = statement.results().get(0);
    return statement
        .sames()
        .flatMap(
            same ->
                bound.find(result).isPresent()
                    ? bound.with(same.name(), bound.value(result)).stream()
                    : bound.find(same.name()).flatMap(value -> bound.with(result, value)).stream());
  }

  private static Optional<String> knownResult(Statement statement, Bindings bound) {
    for (String name : statement.results()) {
      Optional<String> value = bound.find(name);
      if (value.isPresent()) {
        return value;
      }
    }
    return Optional.empty();
  }

  /**
   * For each way to compute the statement a value that it reads, if one is known. Constants do not
   * count: they may have readers all over the graph.
   */
  private static Stream<String> knownOperands(Statement statement, Bindings bound) {
    return Stream.concat(
        statement.sames().flatMap(same -> bound.find(same.name()).stream()),
        statement.applications().flatMap(application -> knownOperand(application, bound).stream()));
  }

  private static Optional<String> knownOperand(Application application, Bindings bound) {
    return application.operands().stream()
        .filter(operand -> operand instanceof Use use && !use.constant())
        .flatMap(operand -> bound.find(((Use) operand).name()).stream())
        .findFirst();
  }
}
