package io.moneonnx.form;

import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The links through which the experts of an unrolled loop hand on the value that they build up
 * together.
 *
 * @param start what the first link goes on from
 * @param end what the last link makes
 * @param links one for each expert
 */
record LinkChain(String start, String end, List<Link> links) {
  /** One expert's link: from what it goes on, and what it makes of that. */
  record Link(int expert, String before, String after) {}

  /** The chain of these links; empty if they form none, or several. */
  static Optional<LinkChain> of(List<Link> links) {
    Map<String, String> afterOf = new HashMap<>();
    Set<String> starts = new HashSet<>();
    links.forEach(link -> afterOf.put(link.before(), link.after()));
    starts.addAll(afterOf.keySet());
    links.forEach(link -> starts.remove(link.after()));
    if (starts.size() != 1) {
      return Optional.empty();
    }
    String start = starts.iterator().next();
    String end = start;
    int length = 0;
    for (; afterOf.containsKey(end); length++) {
      end = afterOf.get(end);
    }
    return length == links.size()
        ? Optional.of(new LinkChain(start, end, List.copyOf(links)))
        : Optional.empty();
  }

  /** Lets everything read what these experts' links go on from where it read what they make. */
  void bypass(Ops ops, Set<Integer> experts) {
    bypass(ops, experts, start);
  }

  /** The same in a chain that now starts from another value. */
  void bypass(Ops ops, Set<Integer> experts, String newStart) {
    for (Link link : links) {
      boolean isFirst = link.before().equals(start);
      if (experts.contains(link.expert())) {
        ops.edit().redirect(link.after(), isFirst ? newStart : link.before());
      } else if (isFirst && !newStart.equals(start)) {
        Node node = ops.edit().graph().producer(link.after()).orElseThrow();
        ops.edit().setInput(node, node.inputs().indexOf(start), newStart);
      }
    }
  }
}
