package io.moneonnx.rewrite;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Graph;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.RouterCut;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Which experts leave a block and its router: it chooses among the others as if the scores of these
 * were minus infinity.
 */
public record Removal(SortedSet<Integer> ids) implements Change {
  public Removal {
    ids = new TreeSet<>(ids);
  }

  @Override
  public List<Integer> experts() {
    return List.copyOf(ids);
  }

  @Override
  public String done() {
    return "removed";
  }

  /** The router to be cut; throws {@link BadInputException} where it cannot lose these experts. */
  public RouterCut router(Graph graph, MoeBlock block) {
    RouterCut router = RouterCut.of(graph, block.routing());
    router
        .objection(ids)
        .ifPresent(
            reason -> {
              throw new BadInputException(
                  "block '%s': its router cannot be cut: %s".formatted(block.name(), reason));
            });
    return router;
  }
}
