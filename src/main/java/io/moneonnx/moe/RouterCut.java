package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Ops;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Takes experts out of a router: out of its weight, its bias and its choice. All others keep their
 * ids, and what is computed from scores keeps its shape:
 *
 * <pre>{@code
 * kept   = MatMul (x, router [hidden, kept])
 * scores = Gather <axis = -1> (kept, column of each expert [experts])
 * masked = Where (gone, -inf, scores)
 * }</pre>
 *
 * The columns of experts that are gone are copies of another's until they are masked, so that
 * nothing on the way meets a number that it would not have met before.
 */
public final class RouterCut {
  private final Graph graph;
  private final Routing routing;
  private final SelectionMask mask;

  private RouterCut(Graph graph, Routing routing) {
    this.graph = graph;
    this.routing = routing;
    this.mask = SelectionMask.of(graph, routing);
  }

  /** The router of a block in this graph; there may be an {@link #objection} to cutting it. */
  public static RouterCut of(Graph graph, Routing routing) {
    return new RouterCut(graph, routing);
  }

  /** Why these experts cannot be taken out; empty if they can. */
  public Optional<String> objection(Set<Integer> pruned) {
    return mask.objection(pruned).or(() -> projection().objection());
  }

  /**
   * Takes these experts out.
   *
   * @return what the others are now chosen by, {@code [..., experts]}
   */
  public String apply(Ops ops, Set<Integer> pruned) {
    List<Integer> kept = routing.without(pruned);
    RouterProjection projection = projection();
    String columns = ops.vector(RouterProjection.columns(routing.experts(), kept));
    String scores = ops.gather(projection.of(ops, kept), columns, -1);
    ops.edit().redirect(projection.output(), scores);
    return mask.mask(ops, mask.gone(ops, pruned));
  }

  private RouterProjection projection() {
    return RouterProjection.of(RouterPath.of(graph, routing));
  }
}
