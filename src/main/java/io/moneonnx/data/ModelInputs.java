package io.moneonnx.data;

import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Value;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * What a graph wants to be fed.
 *
 * @param values its inputs, in the graph's order
 * @param tokens the input that takes token ids, if one does
 * @param vocabulary token ids are below this, where the graph shows it
 */
public record ModelInputs(List<Value> values, Optional<Value> tokens, OptionalLong vocabulary) {
  private static final String TOKENS = "input_ids";

  public ModelInputs {
    values = List.copyOf(values);
  }

  public static ModelInputs of(Graph graph) {
    List<Value> values = graph.feeds();
    Optional<Value> tokens = tokens(values);
    OptionalLong vocabulary =
        tokens.map(input -> Vocabulary.of(graph, input.name())).orElse(OptionalLong.empty());
    return new ModelInputs(values, tokens, vocabulary);
  }

  /** The input called {@code input_ids}, or the only one that needs data, if it takes integers. */
  private static Optional<Value> tokens(List<Value> values) {
    List<Value> wanted = wanted(values);
    return values.stream()
        .filter(input -> input.name().equals(TOKENS))
        .findFirst()
        .or(() -> wanted.size() == 1 ? Optional.of(wanted.get(0)) : Optional.empty())
        .filter(input -> isInteger(input));
  }

  private static boolean isInteger(Value input) {
    return input.type().filter(t -> t == ElementType.INT64 || t == ElementType.INT32).isPresent();
  }

  /** The inputs that data must be given for; {@link FeedFiller} makes the others. */
  public List<Value> wanted() {
    return wanted(values);
  }

  private static List<Value> wanted(List<Value> values) {
    return values.stream().filter(input -> !FeedFiller.fills(input)).toList();
  }

  public Optional<Value> find(String name) {
    return values.stream().filter(input -> input.name().equals(name)).findFirst();
  }

  /** Samples in one run, where the graph fixes the leading dimension of an input. */
  public OptionalLong batch() {
    return wanted().stream()
        .flatMap(input -> input.shape().stream())
        .filter(shape -> shape.size() > 1 && shape.get(0).isFixed())
        .mapToLong(shape -> shape.get(0).size())
        .findFirst();
  }

  /** All inputs as messages list them. */
  String text() {
    return values.stream().map(ModelInputs::text).collect(Collectors.joining(", "));
  }

  /** An input as messages call it: name, type and shape. */
  static String text(Value input) {
    String type = input.type().map(ElementType::text).orElse("?");
    String shape = input.shape().map(List<Dimension>::toString).orElse("[...]");
    return "'%s' %s%s".formatted(input.name(), type, shape);
  }
}
