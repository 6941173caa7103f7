package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Makes the inputs of a language model that follow from its tokens: {@code attention_mask}, {@code
 * position_ids} and empty {@code past_key_values.*}. A graph that fixes the length of its past gets
 * zeros there, and a mask that hides them.
 */
public final class FeedFiller {
  private static final String MASK = "attention_mask";
  private static final String POSITIONS = "position_ids";
  private static final String PAST = "past_key_values";
  private static final String EMBEDDED = "inputs_embeds";

  private final ModelInputs inputs;

  public FeedFiller(ModelInputs inputs) {
    this.inputs = inputs;
  }

  /** The tokens of one run. */
  private record Window(long batch, long sequence, long hiddenPast) {}

  static boolean fills(Value input) {
    return input.name().equals(MASK)
        || input.name().equals(POSITIONS)
        || input.name().startsWith(PAST);
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
    requireEnough(given.keySet());
    Map<String, Tensor> feeds = new LinkedHashMap<>(given);
    Map<String, Tensor> pasts = pasts(given);
    feeds.putAll(pasts);
    for (Value input : inputs.values()) {
      if (!feeds.containsKey(input.name())) {
        Window window = window(input, given, pasts);
        feeds.put(
            input.name(),
            input.name().equals(MASK) ? mask(input, window) : positions(input, window));
      }
    }
    return Collections.unmodifiableMap(feeds);
  }

  private Map<String, Tensor> pasts(Map<String, Tensor> given) {
    Map<String, Tensor> pasts = new LinkedHashMap<>();
    for (Value input : inputs.values()) {
      if (input.name().startsWith(PAST) && !given.containsKey(input.name())) {
        List<Dimension> shape = shape(input);
        pasts.put(input.name(), Elements.zeros(type(input), pastDims(input, shape, given)));
      }
    }
    return pasts;
  }

  private List<Long> pastDims(Value input, List<Dimension> shape, Map<String, Tensor> given) {
    List<Long> dims = new ArrayList<>();
    int open = 0;
    for (int axis = 0; axis < shape.size(); axis++) {
      Dimension dimension = shape.get(axis);
      if (dimension.isFixed()) {
        dims.add(dimension.size());
      } else if (axis == 0) {
        dims.add(tokenDims(input, given).get(0));
      } else {
        dims.add(0L);
        open++;
      }
    }
    if (open > 1) {
      throw unfillable(input, "which of its dimensions is the length of the past cannot be told");
    }
    return dims;
  }

  private Window window(Value input, Map<String, Tensor> given, Map<String, Tensor> pasts) {
    List<Long> dims = tokenDims(input, given);
    long hidden =
        pasts.values().stream()
            .filter(past -> past.elements() > 0 && past.rank() > 1)
            .mapToLong(past -> past.dims().get(past.rank() - 2))
            .max()
            .orElse(0);
    return new Window(dims.get(0), dims.get(1), hidden);
  }

  /** {@code [batch, sequence]}, as the tokens that were given have it. */
  private List<Long> tokenDims(Value input, Map<String, Tensor> given) {
    String tokens = inputs.tokens().map(Value::name).orElse(EMBEDDED);
    Tensor found = given.get(tokens);
    if (found == null || found.rank() < 2) {
      throw unfillable(input, "'" + tokens + "' [batch, sequence] is not fed");
    }
    return found.dims().subList(0, 2);
  }

  private static Tensor mask(Value input, Window window) {
    int row = Math.toIntExact(window.hiddenPast() + window.sequence());
    long[] values = new long[Math.toIntExact(window.batch() * row)];
    Arrays.fill(values, 1);
    for (int at = 0; at < values.length; at += row) {
      Arrays.fill(values, at, at + Math.toIntExact(window.hiddenPast()), 0);
    }
    return matrix(input, window.batch(), row, values);
  }

  private static Tensor positions(Value input, Window window) {
    int row = Math.toIntExact(window.sequence());
    int count = Math.toIntExact(window.batch() * row);
    long[] values = IntStream.range(0, count).mapToLong(i -> i % row).toArray();
    return matrix(input, window.batch(), row, values);
  }

  private static Tensor matrix(Value input, long rows, long columns, long[] values) {
    if (shape(input).size() != 2) {
      throw unfillable(input, "only the shape [batch, sequence] is known");
    }
    return Elements.ofLongs(type(input), List.of(rows, columns), values);
  }

  private static ElementType type(Value input) {
    return input.type().orElseThrow(() -> unfillable(input, "its type is not declared"));
  }

  private static List<Dimension> shape(Value input) {
    return input.shape().orElseThrow(() -> unfillable(input, "its shape is not declared"));
  }

  private static BadInputException unfillable(Value input, String reason) {
    return new BadInputException(
        "the model's input %s cannot be made up (%s): give an array '%s' in a .npz file"
            .formatted(ModelInputs.text(input), reason, input.name()));
  }
}
