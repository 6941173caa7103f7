package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Ops;
import java.util.Collection;

/** What stands in for which experts of a block, as values of the graph. */
public interface Novices {
  /** The experts that may be replaced. */
  Collection<Integer> experts();

  /** Booleans {@code [experts, 1]}. */
  String isReplaced(Ops ops);

  /** A row for each expert, {@code [experts, hidden]} of this type. */
  String table(Ops ops, ElementType type);

  /** What one of {@link #experts} puts out now, in place of {@code raw [rows, hidden]}. */
  String inPlaceOf(Ops ops, int expert, String raw);

  /** The rows {@code raw [rows, hidden]} of these experts, novices where they are replaced. */
  default String over(Ops ops, String raw, String ids, int hidden) {
    return ops.where(
        ops.gather(isReplaced(ops), ids),
        ops.gather(table(ops, ops.edit().type(raw).orElseThrow()), ids),
        ops.reshape(raw, -1, hidden));
  }
}
