package io.moneonnx.moe;

import io.moneonnx.graph.Fill;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.ValueRanks;
import io.moneonnx.passes.GroupLimit;
import io.moneonnx.passes.GroupRanks;
import io.moneonnx.passes.GroupsDropped;
import io.moneonnx.passes.GroupsKept;
import io.moneonnx.passes.SumOfBestInGroup;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Groups of neighbouring experts, of which a router chooses the best before it chooses experts.
 *
 * @param scores value {@code [tokens, experts]}: both groups and experts are chosen by it
 * @param limited value {@code [tokens, experts]}: the scores of experts in the chosen groups, and
 *     one low number for all others
 * @param count how many groups there are, of equally many experts
 * @param chosen how many groups a token's experts come from
 * @param ranking how many of its best experts a group is ranked by
 */
record ExpertGroups(
    Graph graph, String scores, String limited, int experts, int count, int chosen, int ranking) {

  /** The groups that {@code limited} is limited to, if it is understood how. */
  static Optional<ExpertGroups> of(Graph graph, String limited, int experts) {
    return GroupLimit.findAll(graph, "limited", limited).stream()
        .filter(limit -> isLow(graph, limit))
        .flatMap(
            limit ->
                GroupRanks.findAll(graph, "ranks", limit.ranks()).stream()
                    .filter(ranks -> ranks.scores().equals(limit.scores()))
                    .map(ranks -> of(graph, limit, ranks, experts)))
        .filter(ExpertGroups::isWhole)
        .findFirst();
  }

  private static ExpertGroups of(Graph graph, GroupLimit limit, GroupRanks ranks, int experts) {
    boolean isApart = new ValueRanks(graph).of(ranks.apart()).orElse(0) == 3;
    return new ExpertGroups(
        graph,
        limit.scores(),
        limit.limited(),
        experts,
        isApart ? count(sizes(graph, ranks.sizes()), experts) : 0,
        number(limit.k().integers()),
        ranks instanceof SumOfBestInGroup sum ? number(sum.few().integers()) : 1);
  }

  private static int number(long[] only) {
    return Math.toIntExact(only[0]);
  }

  /** True where the marks are ones among zeros, and what is not marked ends up low. */
  private static boolean isLow(Graph graph, GroupLimit limit) {
    Optional<Double> fill = Optional.of(0.0);
    if (limit instanceof GroupsDropped dropped) {
      fill = Fill.of(graph, dropped.fill());
    } else if (limit instanceof GroupsKept kept) {
      fill = Fill.of(graph, kept.fill());
    }
    return Fill.isZero(graph, limit.zero())
        && Fill.of(graph, limit.one()).filter(one -> one == 1).isPresent()
        && fill.filter(low -> low <= 0).isPresent();
  }

  /** How many groups a shape {@code [..., groups, size]} tells apart; 0 if it does not say. */
  private static int count(long[] sizes, int experts) {
    long groups = sizes.length > 2 ? sizes[sizes.length - 2] : 0;
    long size = sizes.length > 2 ? sizes[sizes.length - 1] : 0;
    if (groups == -1 && size > 0) {
      groups = experts / size;
    } else if (size == -1 && groups > 0) {
      size = experts / groups;
    }
    return groups * size == experts ? Math.toIntExact(groups) : 0;
  }

  /** The elements of a shape, 0 for those that are computed. */
  private static long[] sizes(Graph graph, String shape) {
    return Stream.concat(
            graph.producer(shape, "Concat").stream().flatMap(node -> node.inputs().stream()),
            Stream.of(shape).filter(value -> graph.producer(value, "Concat").isEmpty()))
        .flatMapToLong(
            part -> graph.integers(part).map(LongStream::of).orElseGet(() -> LongStream.of(0)))
        .toArray();
  }

  private boolean isWhole() {
    return count > 0 && chosen > 0 && chosen <= count && ranking > 0;
  }

  /** The nodes on the ways from the scores to the limited ones. */
  Set<Node> nodes() {
    Set<String> above = Reach.backward(graph, List.of(limited), scores::equals);
    return Reach.forward(graph, List.of(scores), limited::equals).stream()
        .filter(value -> above.contains(value) && !value.equals(scores))
        .flatMap(value -> graph.producer(value).stream())
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /**
   * Why the groups cannot do without these experts: a token might choose groups that do not hold as
   * many as it goes to. Groups of too few experts to be ranked are ranked last, by minus infinity.
   */
  Optional<String> objection(Routing routing, Set<Integer> pruned) {
    int size = experts / count;
    int[] left = new int[count];
    routing.without(pruned).forEach(expert -> left[expert / size]++);
    int least = Math.min(ranking, size);
    List<Integer> poorest =
        IntStream.range(0, count)
            .boxed()
            .sorted(
                Comparator.<Integer, Boolean>comparing(group -> left[group] < least)
                    .thenComparing(group -> left[group]))
            .limit(chosen)
            .toList();
    int held = poorest.stream().mapToInt(group -> left[group]).sum();
    return held >= routing.topK()
        ? Optional.empty()
        : Optional.of(
            ("it chooses %d of %d groups of %d experts, and from these %d experts, but would"
                    + " find only %d in %s: prune fewer, or protect some of these (--protect)")
                .formatted(chosen, count, size, routing.topK(), held, named(poorest, size)));
  }

  private static String named(List<Integer> groups, int size) {
    return groups.stream()
        .sorted()
        .map(group -> "%d-%d".formatted(group * size, group * size + size - 1))
        .collect(Collectors.joining(" and "));
  }
}
