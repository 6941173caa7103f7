package io.moneonnx.moe;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Puts what was found for single experts in the order of their ids, and says what is missing. */
public final class ExpertGrouping {
  private ExpertGrouping() {}

  /** The parts in the order of their ids; call it where {@link #incomplete} found nothing. */
  public static <T> List<T> inOrder(Map<Integer, T> parts, int experts) {
    List<T> ordered = new ArrayList<>();
    IntStream.range(0, experts).forEach(expert -> ordered.add(parts.get(expert)));
    return List.copyOf(ordered);
  }

  /** Why the parts are not exactly one for each of {@code experts}; empty if they are. */
  public static String incomplete(Map<Integer, ?> parts, int experts) {
    String strange = join(parts.keySet().stream().filter(id -> id < 0 || id >= experts).toList());
    if (!strange.isEmpty()) {
      return "expert regions for ids " + strange + ", but the router has " + experts + " outputs";
    }
    List<Integer> missing =
        IntStream.range(0, experts).filter(id -> !parts.containsKey(id)).boxed().toList();
    return missing.isEmpty()
        ? ""
        : "%d expert regions for %d router outputs; missing: %s"
            .formatted(experts - missing.size(), experts, join(missing));
  }

  private static String join(List<Integer> ids) {
    return ids.stream().sorted().map(String::valueOf).collect(Collectors.joining(", "));
  }
}
