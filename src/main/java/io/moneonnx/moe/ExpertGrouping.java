package io.moneonnx.moe;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Puts what was found for single experts in the order of their ids, and says what is missing. */
public final class ExpertGrouping {
  private ExpertGrouping() {}

  /**
   * Goes on with the parts in the order of their ids, if exactly one was found for each expert that
   * was not pruned before. The last outputs of a router, no more than there are experts, may have
   * none: what they contribute is no part of the block then.
   *
   * @param found what was found, by id
   * @param chosen ids that the graph asks for one by one: one without a part is missing
   */
  public static <T> Recognition complete(
      Map<Integer, List<T>> found,
      Set<Integer> chosen,
      Routing routing,
      Function<List<T>, Recognition> then) {
    Optional<Integer> twice =
        found.keySet().stream().filter(id -> found.get(id).size() > 1).sorted().findFirst();
    if (twice.isPresent()) {
      return new Recognition.Refused("two regions for expert " + twice.get());
    }
    Set<Integer> weightless = new HashSet<>(routing.gone());
    weightless.addAll(behind(found.keySet(), chosen, routing.experts()));
    String incomplete = incomplete(found, routing.experts(), weightless);
    return incomplete.isEmpty()
        ? then.apply(new TreeMap<>(found).values().stream().map(parts -> parts.get(0)).toList())
        : new Recognition.Refused(incomplete);
  }

  /** The last outputs, which the graph asks for together or not at all; none if they are many. */
  private static List<Integer> behind(Set<Integer> found, Set<Integer> chosen, int experts) {
    int first =
        1 + Stream.concat(found.stream(), chosen.stream()).max(Integer::compare).orElse(experts);
    List<Integer> last = IntStream.range(first, experts).boxed().toList();
    return last.size() <= found.size() ? last : List.of();
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
