package io.moneonnx.verify;

import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Value;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The first difference between what two graphs take and give: they cannot be compared then. */
final class Mismatch {
  private Mismatch() {}

  /** Empty if names, types, ranks and fixed dimensions agree, as far as both declare them. */
  static Optional<String> find(Graph before, Graph after) {
    return Stream.of(
            find("input", before.feeds(), after.feeds()),
            find("output", before.outputs(), after.outputs()))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private static Optional<String> find(String kind, List<Value> before, List<Value> after) {
    Map<String, Value> others = new LinkedHashMap<>();
    after.forEach(value -> others.put(value.name(), value));
    for (Value value : before) {
      Value other = others.remove(value.name());
      if (other == null) {
        return Optional.of("only the first has the %s '%s'".formatted(kind, value.name()));
      } else if (!isAlike(value, other)) {
        return Optional.of(
            "%s '%s' is %s in the first, %s in the second"
                .formatted(kind, value.name(), text(value), text(other)));
      }
    }
    return others.keySet().stream()
        .findFirst()
        .map(name -> "only the second has the %s '%s'".formatted(kind, name));
  }

  private static boolean isAlike(Value one, Value other) {
    boolean hasSameType =
        one.type().isEmpty() || other.type().isEmpty() || one.type().equals(other.type());
    return hasSameType
        && (one.shape().isEmpty()
            || other.shape().isEmpty()
            || isAlike(one.shape().get(), other.shape().get()));
  }

  private static boolean isAlike(List<Dimension> one, List<Dimension> other) {
    return one.size() == other.size()
        && IntStream.range(0, one.size())
            .noneMatch(
                axis ->
                    one.get(axis).isFixed()
                        && other.get(axis).isFixed()
                        && one.get(axis).size() != other.get(axis).size());
  }

  private static String text(Value value) {
    return value.type().map(ElementType::text).orElse("?")
        + value.shape().map(List::toString).orElse("[...]");
  }
}
