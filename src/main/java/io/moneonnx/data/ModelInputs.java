package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Value;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a graph wants to be fed.
 *
 * @param values its inputs, in the graph's order
 * @param wanted those that data must be given for; {@link FeedFiller} makes the others
 * @param tokens the input that takes token ids, if one does
 * @param vocabulary token ids are below this, where the graph shows it
 * @param buffers the pasts that are mere room, by name
 * @param growing the pasts that the graph gives back longer, by name
 * @param ignored inputs of the file that the graph does not have: data may be given for them
 */
public record ModelInputs(
    List<Value> values,
    List<Value> wanted,
    Optional<Value> tokens,
    OptionalLong vocabulary,
    Map<String, PastBuffer> buffers,
    Map<String, GrowingPast> growing,
    Set<String> ignored) {
  private static final String TOKENS = "input_ids";
  private static final String EMBEDDED = "inputs_embeds";

  public ModelInputs {
    values = List.copyOf(values);
    wanted = List.copyOf(wanted);
    buffers = Map.copyOf(buffers);
    growing = Map.copyOf(growing);
    ignored = Set.copyOf(ignored);
  }

  /** The same for a graph that is a part of a file with these inputs too. */
  public ModelInputs ignoring(Set<String> others) {
    return new ModelInputs(values, wanted, tokens, vocabulary, buffers, growing, others);
  }

  public static ModelInputs of(Graph graph) {
    List<Value> values = graph.feeds().stream().map(ModelInputs::sized).toList();
    Map<String, PastBuffer> buffers = PastBuffer.findAll(graph);
    Map<String, GrowingPast> growing = GrowingPast.findAll(graph);
    List<Value> wanted =
        values.stream()
            .filter(input -> !buffers.containsKey(input.name()))
            .filter(input -> !growing.containsKey(input.name()) && !FeedFiller.fills(input))
            .toList();
    Optional<Value> tokens = tokens(values, wanted);
    OptionalLong vocabulary =
        tokens.map(input -> Vocabulary.of(graph, input.name())).orElse(OptionalLong.empty());
    return new ModelInputs(values, wanted, tokens, vocabulary, buffers, growing, Set.of());
  }

  /** True for a graph that is fed token ids, masks and positions, and nothing else. */
  public static boolean areTokens(Graph graph) {
    return !graph.feeds().isEmpty() && graph.feeds().stream().allMatch(ModelInputs::isInteger);
  }

  /** Some exporters write a size as a symbol that is a number. */
  private static Value sized(Value input) {
    return new Value(
        input.name(),
        input.type(),
        input.shape().map(shape -> shape.stream().map(ModelInputs::sized).toList()),
        input.rest());
  }

  private static Dimension sized(Dimension dimension) {
    return dimension.symbol().matches("[1-9][0-9]{0,8}")
        ? Dimension.of(Long.parseLong(dimension.symbol()))
        : dimension;
  }

  /** The input called {@code input_ids}, or the only one that needs data, if it takes integers. */
  private static Optional<Value> tokens(List<Value> values, List<Value> wanted) {
    return values.stream()
        .filter(input -> input.name().equals(TOKENS))
        .findFirst()
        .or(() -> wanted.size() == 1 ? Optional.of(wanted.get(0)) : Optional.empty())
        .filter(input -> isInteger(input));
  }

  private static boolean isInteger(Value input) {
    return input.type().filter(t -> t == ElementType.INT64 || t == ElementType.INT32).isPresent();
  }

  /**
   * The input that takes the tokens of a text.
   *
   * @throws BadInputException if there is none; it says what the model takes
   */
  Value tokensFor(Path text) {
    return tokens()
        .filter(input -> input.shape().map(shape -> shape.size() == 2).orElse(true))
        .orElseThrow(() -> noTokens(text));
  }

  private BadInputException noTokens(Path text) {
    return new BadInputException(
        embedded()
            .map(
                input ->
                    "%s is text, but the model takes embedded tokens: give an array '%s' in a .npz file"
                        .formatted(text, input.name()))
            .orElseGet(
                () ->
                    "%s is text, but the model has no input_ids [batch, sequence], only %s"
                        .formatted(text, text())));
  }

  /** The input that takes tokens as vectors {@code [batch, sequence, hidden]}, if one does. */
  Optional<Value> embedded() {
    return find(EMBEDDED);
  }

  public Optional<Value> find(String name) {
    return values.stream().filter(input -> input.name().equals(name)).findFirst();
  }

  /** Samples in one run, where the graph fixes the leading dimension of an input. */
  public OptionalLong batch() {
    return wanted.stream()
        .flatMap(input -> input.shape().stream())
        .filter(shape -> shape.size() > 1 && shape.get(0).isFixed())
        .mapToLong(shape -> shape.get(0).size())
        .findFirst();
  }

  /** All inputs as messages list them. */
  public String text() {
    return values.stream().map(ModelInputs::text).collect(Collectors.joining(", "));
  }

  /** An input as messages call it: name, type and shape. */
  static String text(Value input) {
    String type = input.type().map(ElementType::text).orElse("?");
    String shape = input.shape().map(List<Dimension>::toString).orElse("[...]");
    return "'%s' %s%s".formatted(input.name(), type, shape);
  }

  static ElementType type(Value input) {
    return input.type().orElseThrow(() -> unfillable(input, "its type is not declared"));
  }

  static List<Dimension> shape(Value input) {
    return input.shape().orElseThrow(() -> unfillable(input, "its shape is not declared"));
  }

  /** An input that data do not give, and that does not follow from what they give. */
  static BadInputException unfillable(Value input, String reason) {
    return new BadInputException(
        "the model's input %s cannot be made up (%s): give an array '%s' in a .npz file"
            .formatted(text(input), reason, input.name()));
  }
}
