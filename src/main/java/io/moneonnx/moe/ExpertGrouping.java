package io.moneonnx.moe;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Puts what was found for single experts in the order of their ids, and says what is missing. */
public final class ExpertGrouping {
  private ExpertGrouping() {}

  /**
   * Goes on with the parts in the order of their ids, if exactly one was found for each expert that
   * was not pruned before.
   *
   * @param found what was found, by id
   */
  public static <T> Recognition complete(
      Map<Integer, List<T>> found, Routing routing, Function<List<T>, Recognition> then) {
    Optional<Integer> twice =
        found.keySet().stream().filter(id -> found.get(id).size() > 1).sorted().findFirst();
    if (twice.isPresent()) {
      return new Recognition.Refused("two regions for expert " + twice.get());
    }
    String incomplete = incomplete(found, routing.experts(), routing.gone());
    return incomplete.isEmpty()
        ? then.apply(new TreeMap<>(found).values().stream().map(parts -> parts.get(0)).toList())
        : new Recognition.Refused(incomplete);
  }

  /** The parts in the order of their ids; call it where {@link #incomplete} found nothing. */
  public static <T> List<T> inOrder(Map<Integer, T> parts, int experts) {
    List<T> ordered = new ArrayList<>();
    IntStream.range(0, experts).forEach(expert -> ordered.add(parts.get(expert)));
    return List.copyOf(ordered);
  }

  /** Why the parts are not exactly one for each of {@code experts}; empty if they are. */
  public static String incomplete(Map<Integer, ?> parts, int experts) {
    return incomplete(parts, experts, Set.of());
  }

  private static String incomplete(Map<Integer, ?> parts, int experts, Set<Integer> gone) {
    String strange = join(parts.keySet().stream().filter(id -> id < 0 || id >= experts).toList());
    if (!strange.isEmpty()) {
      return "expert regions for ids " + strange + ", but the router has " + experts + " outputs";
    }
    List<Integer> missing =
        IntStream.range(0, experts)
            .filter(id -> !parts.containsKey(id) && !gone.contains(id))
            .boxed()
            .toList();
    return missing.isEmpty()
        ? ""
        : "%d expert regions for %d router outputs; missing: %s"
            .formatted(parts.size(), experts, join(missing));
  }

  private static String join(List<Integer> ids) {
    return ids.stream().sorted().map(String::valueOf).collect(Collectors.joining(", "));
  }
}
