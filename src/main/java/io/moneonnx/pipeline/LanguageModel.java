package io.moneonnx.pipeline;

import io.moneonnx.data.ModelInputs;
import io.moneonnx.eval.NextToken;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Value;
import io.moneonnx.verify.Logits;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/** How a model takes tokens and scores the next one, if it does. */
public record LanguageModel(ReadModel read) {
  private static final String DECODER = "decoder_input_ids";

  private Graph graph() {
    return read.model().graph();
  }

  /**
   * The output {@code [batch, sequence, vocabulary]} that scores next tokens: the first floating
   * one of rank 3 that is as wide as the vocabulary, as far as both are known, if the model takes
   * tokens.
   */
  Optional<String> logits() {
    return scores().map(Value::name);
  }

  private Optional<Value> scores() {
    ModelInputs inputs = ModelInputs.of(graph());
    return inputs.tokens().isEmpty()
        ? Optional.empty()
        : graph().outputs().stream()
            .filter(output -> output.type().filter(ElementType::isFloating).isPresent())
            .filter(output -> output.shape().filter(shape -> shape.size() == 3).isPresent())
            .filter(output -> scoresAll(output.shape().get().get(2), inputs.vocabulary()))
            .findFirst();
  }

  /** False for what is too narrow to score every token: hidden states, say. */
  private static boolean scoresAll(Dimension width, OptionalLong vocabulary) {
    return !width.isFixed() || vocabulary.isEmpty() || width.size() >= vocabulary.getAsLong();
  }

  /** The same with what is known of it, for models to be compared by it. */
  Optional<Logits> comparedLogits() {
    ModelInputs inputs = ModelInputs.of(graph());
    Optional<String> tokens =
        inputs.tokens().filter(input -> !hasDecoder() && isMatrix(input)).map(Value::name);
    return scores()
        .map(
            output ->
                new Logits(output.name(), output.type().get(), tokens, width(output, inputs)));
  }

  private static OptionalLong width(Value logits, ModelInputs inputs) {
    Dimension width = logits.shape().get().get(2);
    return width.isFixed() ? OptionalLong.of(width.size()) : inputs.vocabulary();
  }

  private boolean hasDecoder() {
    return graph().feeds().stream().anyMatch(input -> input.name().equals(DECODER));
  }

  private static boolean isMatrix(Value input) {
    return input.shape().map(shape -> shape.size() == 2).orElse(true);
  }

  /**
   * How the model foresees tokens.
   *
   * @throws BadInputException if it is no language model
   */
  public NextToken requireNextToken() {
    Value tokens =
        ModelInputs.of(graph())
            .tokens()
            .filter(LanguageModel::isMatrix)
            .orElseThrow(
                () -> noLanguageModel("takes no token ids [batch, sequence]", graph().feeds()));
    if (hasDecoder()) {
      throw noLanguageModel("has a decoder of its own", graph().feeds());
    }
    return logits()
        .map(logits -> new NextToken(tokens.name(), logits))
        .orElseThrow(
            () ->
                noLanguageModel("has no logits [batch, sequence, vocabulary]", graph().outputs()));
  }

  private BadInputException noLanguageModel(String what, List<Value> found) {
    return new BadInputException(
        "%s: expected a model that predicts the next token; this one %s, only %s"
            .formatted(
                read.file(),
                what,
                found.stream().map(Value::name).collect(Collectors.joining(", "))));
  }
}
