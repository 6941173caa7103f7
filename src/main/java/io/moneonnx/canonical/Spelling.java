package io.moneonnx.canonical;

import static java.util.stream.Collectors.toSet;

import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The way back from an edited canonical model: steps are undone, the last first, wherever an edit
 * has left alone what they made.
 *
 * <p>A node is written as it was before a step if, of what stands in its place, something is left,
 * nothing was changed, and nothing else reads the values in between. A loop that was unrolled is
 * also written where whole rounds have gone: with fewer rounds.
 */
final class Spelling {
  private enum State {
    GONE,
    CHANGED,
    LEFT
  }

  private final Canonical canonical;
  private final GraphEdit edit;
  private final Model edited;
  private final Map<String, Initializer> initializers;

  /** What becomes of nodes of the canonical graph, and of those that steps were undone to. */
  private final IdentityHashMap<Node, State> states = new IdentityHashMap<>();

  /** How nodes that are left are written. */
  private final IdentityHashMap<Node, Node> images;

  /** The nodes to write, and where in the original they come from, if they come from there. */
  private final IdentityHashMap<Node, Integer> written = new IdentityHashMap<>();

  private final Map<String, Integer> reads = new HashMap<>();
  private final FreshNames names;

  /** By value the place of what makes it in the edited graph. */
  private final Map<String, Integer> places = new HashMap<>();

  /** All values of the original. */
  private final Set<String> originals;

  /** Values that are made otherwise than what was declared of them said. */
  private final Set<String> changed = new HashSet<>();

  /** Carried values of loops that nothing makes any more, and what is read in their place. */
  private final Map<String, String> renamed = new LinkedHashMap<>();

  Spelling(Canonical canonical, GraphEdit edit) {
    this.canonical = canonical;
    this.edit = edit;
    GraphEdit.Edited all = edit.edited();
    this.edited = all.model();
    this.images = all.images();
    this.names = FreshNames.in(edited.graph());
    this.originals = canonical.original().graph().made();
    this.initializers = new LinkedHashMap<>(edited.graph().initializers());
    for (Node node : edited.graph().nodes()) {
      put(node, Integer.MAX_VALUE);
      places.put(node.output(), places.size());
    }
    edited.graph().outputs().forEach(output -> reads.merge(output.name(), 1, Integer::sum));
    for (Node node : canonical.graph().nodes()) {
      Node image = images.get(node);
      boolean isMade = edited.graph().producer(node.output()).isPresent();
      states.put(node, image != null ? State.LEFT : isMade ? State.CHANGED : State.GONE);
      edited.graph().producer(node.output()).ifPresent(n -> written.put(n, canonical.root(node)));
    }
  }

  private void put(Node node, int root) {
    written.put(node, root);
    node.reads().forEach(value -> reads.merge(value, 1, Integer::sum));
  }

  private void remove(Node node) {
    written.remove(node);
    node.reads().forEach(value -> reads.merge(value, -1, Integer::sum));
  }

  private int reads(String value) {
    return reads.getOrDefault(value, 0);
  }

  Model model() {
    List<Step> steps = canonical.steps();
    boolean canShorten =
        steps.stream()
            .flatMap(step -> step.rounds().stream())
            .allMatch(r -> r.loop().canLeaveOut());
    int drop = canShorten ? canonical.unfolded() : steps.size();
    for (int i = steps.size(); i >= 0; i--) {
      if (i == drop) {
        dropUnreadParts();
      }
      if (i > 0) {
        states.put(steps.get(i - 1).before(), undo(steps.get(i - 1)));
      }
    }
    addWhatIsReadAgain();
    Graph spelled = edited.graph().with(nodes(), inOrder(initializers));
    Model original = canonical.original();
    Map<String, Long> opsets = new LinkedHashMap<>(original.opsets());
    edited.opsets().forEach(opsets::putIfAbsent);
    GraphEdit names =
        new GraphEdit(
            new Model(
                withDeclared(spelled),
                edited.irVersion(),
                opsets,
                edited.metadata(),
                original.functions(),
                edited.rest()));
    renamed.forEach(names::redirect);
    return DeadCode.removeFunctions(names.apply());
  }

  /**
   * Cuts constants down to the parts that are still read, where nothing but parts of one axis is
   * read and some are not any more.
   */
  private void dropUnreadParts() {
    UnreadParts unread =
        new UnreadParts(canonical.graph(), edited.graph(), nodes(), this::constant);
    Map<String, Node> origins = new HashMap<>();
    images.forEach((node, image) -> origins.put(image.output(), node));
    unread
        .dropped()
        .forEach(
            (reader, moved) -> {
              int root = written.get(reader);
              remove(reader);
              changed.addAll(moved.outputs());
              put(moved, root);
              Node origin = origins.get(reader.output());
              if (origin != null) {
                states.put(origin, State.CHANGED);
              }
            });
  }

  private Graph withDeclared(Graph spelled) {
    Map<String, Value> declared = new LinkedHashMap<>(spelled.declared());
    declared.keySet().removeAll(Reach.forward(spelled, changed, value -> false));
    return spelled.withDeclared(declared);
  }

  /** Constants of the original in their order, then the others. */
  private Map<String, Initializer> inOrder(Map<String, Initializer> constants) {
    Map<String, Initializer> ordered =
        new LinkedHashMap<>(canonical.original().graph().initializers());
    ordered.keySet().retainAll(constants.keySet());
    constants.forEach(ordered::putIfAbsent);
    return ordered;
  }

  /**
   * Adds what nodes read that were dead in the canonical graph: the condition of an {@code If} of
   * which only the work was left there, say.
   */
  private void addWhatIsReadAgain() {
    Set<String> made = edited.graph().inputs().stream().map(Value::name).collect(toSet());
    written.keySet().forEach(node -> made.addAll(node.outputs()));
    Map<String, Node> all = canonical.nodes();
    Deque<Node> pending = new ArrayDeque<>(nodes());
    while (!pending.isEmpty()) {
      for (String value : pending.pop().reads()) {
        if (made.contains(value) || initializers.containsKey(value)) {
          continue;
        }
        Initializer constant = canonical.constants().get(value);
        if (constant != null) {
          initializers.put(value, constant);
          continue;
        }
        Node producer = all.get(value);
        Node image = edit.redirected(producer);
        written.put(image, canonical.root(producer));
        made.addAll(image.outputs());
        pending.push(image);
      }
    }
  }

  /**
   * The nodes to write, in the original's order as far as they come from there; those of an edit
   * come last, until the edit that ends all puts them before what reads them.
   */
  private List<Node> nodes() {
    List<Node> nodes = new ArrayList<>(written.keySet());
    nodes.sort(
        Comparator.<Node>comparingInt(written::get)
            .thenComparingInt(node -> places.getOrDefault(node.output(), 0))
            .thenComparing(Node::output));
    return nodes;
  }

  private State undo(Step step) {
    if (step.rounds().isPresent() && isShortened(step)) {
      return shorten(step, step.rounds().get());
    }
    if (step.after().stream().anyMatch(node -> state(node) == State.CHANGED)) {
      return State.CHANGED;
    }
    List<Node> left = left(step.after());
    boolean isRead = step.before().outputs().stream().anyMatch(value -> reads(value) > 0);
    if (step.after().isEmpty() ? !isRead : left.isEmpty()) {
      return State.GONE;
    }
    if (isRedirected(step.inner())
        || hasChangedHelpers(step)
        || !isClosed(step.inner(), left)
        || hides(step.before(), left)) {
      return State.CHANGED;
    }
    left.forEach(node -> remove(images.get(node)));
    Node image = edit.redirected(step.before());
    images.put(step.before(), image);
    put(image, step.root());
    step.before().outputs().forEach(initializers::remove);
    return State.LEFT;
  }

  /** True if a body of the node would give a name to a value that another value has. */
  private boolean hides(Node node, List<Node> replaced) {
    Set<String> replacing = new HashSet<>();
    replaced.forEach(inside -> replacing.addAll(inside.outputs()));
    return node.subgraphs().stream()
        .flatMap(body -> body.made().stream())
        .anyMatch(
            value -> !replacing.contains(value) && edited.graph().producer(value).isPresent());
  }

  private State state(Node node) {
    return states.getOrDefault(node, State.GONE);
  }

  private List<Node> left(List<Node> nodes) {
    return nodes.stream().filter(node -> state(node) == State.LEFT).toList();
  }

  /** True if an edit was about a value that an earlier step has made and this one reads too. */
  private boolean hasChangedHelpers(Step step) {
    Set<String> helpers = new HashSet<>();
    step.after().forEach(node -> helpers.addAll(node.reads()));
    helpers.removeAll(step.before().reads());
    helpers.removeAll(step.inner());
    helpers.removeAll(originals);
    return isRedirected(helpers)
        || helpers.stream()
            .flatMap(value -> canonical.graph().producer(value).stream())
            .anyMatch(node -> state(node) == State.CHANGED);
  }

  private boolean isRedirected(Set<String> values) {
    return values.stream().anyMatch(value -> edit.redirection(value).isPresent());
  }

  /** True if only these nodes read any of the values. */
  private boolean isClosed(Set<String> values, List<Node> nodes) {
    Map<String, Integer> own = new HashMap<>();
    nodes.forEach(
        node -> images.get(node).reads().forEach(value -> own.merge(value, 1, Integer::sum)));
    return values.stream().allMatch(value -> reads(value) == own.getOrDefault(value, 0));
  }

  /** True where some rounds have gone, and others have not. */
  private boolean isShortened(Step step) {
    long gone = rounds(step).filter(round -> isGone(step, round)).count();
    return gone > 0 && gone < step.rounds().orElseThrow().states().size();
  }

  private static Stream<Integer> rounds(Step step) {
    return IntStream.range(0, step.rounds().orElseThrow().states().size()).boxed();
  }

  private boolean isGone(Step step, int round) {
    int size = step.after().size() / step.rounds().orElseThrow().states().size();
    return step.after().subList(round * size, (round + 1) * size).stream()
        .allMatch(node -> state(node) == State.GONE);
  }

  /** Writes a loop with the rounds that are left, if these are as they were. */
  private State shorten(Step step, Step.Rounds rounds) {
    List<Integer> kept = rounds(step).filter(round -> !isGone(step, round)).toList();
    String last = rounds.states().get(kept.get(kept.size() - 1));
    Set<String> inner = step.inner();
    inner.removeAll(rounds.states());
    List<Node> left = left(step.after());
    if (step.after().stream().anyMatch(node -> state(node) == State.CHANGED)
        || !rounds.loop().canLeaveOut()
        || isRedirected(inner)
        || !isOneAfterTheOther(rounds, kept)
        || !isClosed(inner, left)) {
      return State.CHANGED;
    }
    left.forEach(node -> remove(images.get(node)));
    Node loop = rounds.loop().keeping(kept, this::constant);
    String output = loop.output();
    boolean isFree = edited.graph().producer(output).isEmpty() || last.equals(output);
    String name = isFree ? output : last;
    changed.add(name);
    put(edit.redirected(loop.withValues(loop.inputs(), List.of(name))), step.root());
    if (!name.equals(last)) {
      renamed.put(last, name);
    }
    return State.CHANGED;
  }

  /** True if each round that is left goes on from what the one before it carried. */
  private boolean isOneAfterTheOther(Step.Rounds rounds, List<Integer> kept) {
    String carried = edit.current(rounds.before(0));
    for (int round : kept) {
      if (!edit.current(rounds.before(round)).equals(carried)) {
        return false;
      }
      carried = rounds.states().get(round);
    }
    return true;
  }

  private String constant(String hint, Tensor tensor) {
    String name = names.like(hint);
    initializers.put(name, Initializer.of(name, tensor));
    return name;
  }
}
