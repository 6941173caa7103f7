package io.moneonnx.data;

import static io.moneonnx.data.ModelInputs.unfillable;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Makes the inputs of a language model that follow from its tokens: {@code attention_mask}, {@code
 * position_ids} and empty pasts. A graph that fixes the length of its past gets zeros there, and a
 * mask that hides them; a past that is a mere buffer is as long as its operator wants it, and
 * nothing for the mask to count.
 */
public final class FeedFiller {
  private static final String MASK = "attention_mask";
  private static final String POSITIONS = "position_ids";

  private final ModelInputs inputs;
  private final EmptyPasts pasts;

  public FeedFiller(ModelInputs inputs) {
    this.inputs = inputs;
    this.pasts = new EmptyPasts(inputs);
  }

  /**
   * The tokens of one run.
   *
   * @param hiddenPast tokens that the pasts hold and the mask must hide
   * @param seenPast tokens that the pasts hold and the mask shows
   */
  private record Window(long batch, long sequence, long hiddenPast, long seenPast) {}

  static boolean fills(Value input) {
    return input.name().equals(MASK)
        || input.name().equals(POSITIONS)
        || EmptyPasts.isNamedSo(input);
  }

  /**
   * Checks that data for these inputs are enough to run the model.
   *
   * @throws BadInputException if another input can neither be fed nor filled; it names it
   */
  public void requireEnough(Set<String> given) {
    for (Value input : inputs.wanted()) {
      if (!given.contains(input.name())) {
        throw new BadInputException(
            "the model's input %s is not fed: give an array '%s' in a .npz file"
                .formatted(ModelInputs.text(input), input.name()));
      }
    }
  }

  /** The feeds of one run: {@code given}, and what it leaves out. */
  public Map<String, Tensor> fill(Map<String, Tensor> given) {
    return fillAfter(0, given);
  }

  /** The feeds of a run that goes on after {@code seen} tokens, whose pasts are given. */
  public Map<String, Tensor> fillAfter(long seen, Map<String, Tensor> given) {
    requireEnough(given.keySet());
    Map<String, Tensor> feeds = new LinkedHashMap<>(given);
    Map<String, Tensor> made = pasts(given);
    feeds.putAll(made);
    for (Value input : inputs.values()) {
      if (!feeds.containsKey(input.name())) {
        Window window = window(input, given, pasts.hidden(made), seen);
        feeds.put(
            input.name(),
            input.name().equals(MASK) ? mask(input, window) : positions(input, window));
      }
    }
    return Collections.unmodifiableMap(feeds);
  }

  private Map<String, Tensor> pasts(Map<String, Tensor> given) {
    Map<String, Tensor> made = new LinkedHashMap<>();
    for (Value input : inputs.values()) {
      if (pasts.contain(input) && !given.containsKey(input.name())) {
        made.put(input.name(), pasts.make(input, past -> tokenDims(past, given).get(0)));
      }
    }
    return made;
  }

  private Window window(Value input, Map<String, Tensor> given, long hiddenPast, long seenPast) {
    List<Long> dims = tokenDims(input, given);
    return new Window(dims.get(0), dims.get(1), hiddenPast, seenPast);
  }

  /** {@code [batch, sequence]}, as the tokens that were given have it. */
  private List<Long> tokenDims(Value input, Map<String, Tensor> given) {
    Optional<Value> tokens = inputs.tokens().or(inputs::embedded);
    Tensor found = tokens.map(Value::name).map(given::get).orElse(null);
    if (found == null || found.rank() < 2) {
      throw unfillable(input, "no tokens [batch, sequence] are fed");
    }
    return found.dims().subList(0, 2);
  }

  private static Tensor mask(Value input, Window window) {
    int row = Math.toIntExact(window.hiddenPast() + window.seenPast() + window.sequence());
    long[] values = new long[Math.toIntExact(window.batch() * row)];
    Arrays.fill(values, 1);
    for (int at = 0; at < values.length; at += row) {
      Arrays.fill(values, at, at + Math.toIntExact(window.hiddenPast()), 0);
    }
    return matrix(input, window.batch(), row, values);
  }

  /** Models of more than text have several axes of positions; text has the same on each. */
  private static Tensor positions(Value input, Window window) {
    int row = Math.toIntExact(window.sequence());
    List<Dimension> shape = ModelInputs.shape(input);
    boolean hasAxes = shape.size() == 3 && shape.get(0).isFixed();
    long axes = hasAxes ? shape.get(0).size() : 1;
    int count = Math.toIntExact(axes * window.batch() * row);
    long[] values = IntStream.range(0, count).mapToLong(i -> window.seenPast() + i % row).toArray();
    return hasAxes
        ? Elements.ofLongs(
            ModelInputs.type(input), List.of(axes, window.batch(), window.sequence()), values)
        : matrix(input, window.batch(), row, values);
  }

  private static Tensor matrix(Value input, long rows, long columns, long[] values) {
    if (ModelInputs.shape(input).size() != 2) {
      throw unfillable(input, "only the shape [batch, sequence] is known");
    }
    return Elements.ofLongs(ModelInputs.type(input), List.of(rows, columns), values);
  }
}
