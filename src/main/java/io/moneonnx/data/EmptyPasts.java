package io.moneonnx.data;

import static io.moneonnx.data.ModelInputs.unfillable;

import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;

/**
 * The pasts of a model that has seen nothing yet: of length 0, or zeros where the graph or an
 * operator wants them longer.
 */
record EmptyPasts(ModelInputs inputs) {
  private static final String PAST = "past_key_values";

  static boolean isNamedSo(Value input) {
    return input.name().startsWith(PAST);
  }

  boolean contain(Value input) {
    return isNamedSo(input)
        || inputs.buffers().containsKey(input.name())
        || inputs.growing().containsKey(input.name());
  }

  /**
   * Zeros for one past.
   *
   * @param batch asked for where the graph leaves the leading dimension open
   */
  Tensor make(Value input, ToLongFunction<Value> batch) {
    PastBuffer buffer = inputs.buffers().get(input.name());
    List<Dimension> shape = ModelInputs.shape(input);
    List<OptionalLong> open = buffer == null ? sizes(input, shape) : room(input, buffer);
    List<Long> dims = new ArrayList<>();
    for (int axis = 0; axis < shape.size(); axis++) {
      if (shape.get(axis).isFixed()) {
        dims.add(shape.get(axis).size());
      } else if (axis == 0) {
        dims.add(batch.applyAsLong(input));
      } else {
        dims.add(open.get(axis).orElseThrow(() -> unfillable(input, "its head size is unknown")));
      }
    }
    return Elements.zeros(ModelInputs.type(input), dims);
  }

  private List<OptionalLong> sizes(Value input, List<Dimension> shape) {
    GrowingPast growing = inputs.growing().get(input.name());
    return growing == null
        ? ofNoLength(input, shape)
        : IntStream.range(0, shape.size())
            .mapToObj(axis -> axis == growing.axis() ? OptionalLong.of(0) : OptionalLong.empty())
            .toList();
  }

  /** Sizes for dimensions that are open, but for the batch. */
  private static List<OptionalLong> ofNoLength(Value input, List<Dimension> shape) {
    if (shape.stream().skip(1).filter(dimension -> !dimension.isFixed()).count() > 1) {
      throw unfillable(input, "which of its dimensions is the length of the past is not known");
    }
    return Collections.nCopies(shape.size(), OptionalLong.of(0));
  }

  private static List<OptionalLong> room(Value input, PastBuffer buffer) {
    if (ModelInputs.shape(input).size() != 4) {
      throw unfillable(input, "only the shape [batch, heads, length, head size] is known");
    }
    return List.of(
        OptionalLong.empty(),
        OptionalLong.of(buffer.heads()),
        OptionalLong.of(buffer.length()),
        buffer.headSize());
  }

  /** Tokens that the mask must hide: the longest past of fixed length that is no mere buffer. */
  long hidden(Map<String, Tensor> pasts) {
    return pasts.entrySet().stream()
        .filter(past -> holdsTokens(past.getKey()))
        .map(Map.Entry::getValue)
        .filter(past -> past.elements() > 0 && past.rank() > 1)
        .mapToLong(past -> past.dims().get(past.rank() - 2))
        .max()
        .orElse(0);
  }

  /** Other states, such as those of linear attention, have no axis of tokens. */
  private boolean holdsTokens(String past) {
    return !inputs.buffers().containsKey(past)
        && (inputs.growing().containsKey(past) || past.endsWith("key") || past.endsWith("value"));
  }
}
