package io.moneonnx.verify.golden;

import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Whether a model takes what another was fed. */
final class InputFit {
  private InputFit() {}

  /** What is in the way, input by input; nothing if the model takes it. */
  static List<String> of(List<Value> inputs, Map<String, Tensor> fed) {
    Map<String, Value> wanted = new LinkedHashMap<>();
    inputs.forEach(input -> wanted.put(input.name(), input));
    List<String> wrong = new ArrayList<>();
    wanted.values().stream()
        .filter(input -> !fed.containsKey(input.name()))
        .forEach(input -> wrong.add("'%s' was not recorded".formatted(input.name())));
    fed.forEach(
        (name, feed) -> {
          if (!wanted.containsKey(name)) {
            wrong.add("'%s' is no input of the model any more".formatted(name));
          } else if (!fits(wanted.get(name), feed)) {
            wrong.add(unlike(wanted.get(name), feed));
          }
        });
    return wrong;
  }

  private static boolean fits(Value input, Tensor feed) {
    return input.type().filter(type -> type != feed.type()).isEmpty()
        && input.shape().filter(shape -> !fits(shape, feed.dims())).isEmpty();
  }

  /** A shape without dimensions may be a scalar's, or not known at all. */
  private static boolean fits(List<Dimension> shape, List<Long> dims) {
    boolean fits = shape.isEmpty() || shape.size() == dims.size();
    for (int axis = 0; fits && axis < shape.size(); axis++) {
      fits = !shape.get(axis).isFixed() || shape.get(axis).size() == dims.get(axis);
    }
    return fits;
  }

  private static String unlike(Value input, Tensor feed) {
    Optional<String> shape = input.shape().map(List::toString);
    return "'%s' takes %s%s, recorded %s%s"
        .formatted(
            input.name(),
            input.type().map(ElementType::text).orElse("?"),
            shape.orElse(""),
            feed.type().text(),
            feed.dims());
  }
}
