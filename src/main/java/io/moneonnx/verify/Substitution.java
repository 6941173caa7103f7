package io.moneonnx.verify;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Ops;
import io.moneonnx.moe.Coefficients;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.Rows;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Overwrites the raw outputs of a block's experts by novices, wherever a form shows its rows; the
 * rest of the block stays as it is.
 */
public final class Substitution {
  private final Ops ops;
  private final MoeBlock block;
  private final Novices novices;

  /** What stands in for which experts, as values of the graph. */
  public interface Novices {
    /** The experts that may be replaced. */
    Collection<Integer> experts();

    /** Booleans {@code [experts, 1]}. */
    String isReplaced(Ops ops);

    /** A row for each expert, {@code [experts, hidden]} of this type. */
    String table(Ops ops, ElementType type);

    /** What one of {@link #experts} puts out now, in place of {@code raw [rows, hidden]}. */
    String inPlaceOf(Ops ops, int expert, String raw);
  }

  private Substitution(Ops ops, MoeBlock block, Novices novices) {
    this.ops = ops;
    this.block = block;
    this.novices = novices;
  }

  /** Adds the overwriting to the edit of {@code ops}. */
  public static void apply(Ops ops, MoeBlock block, Novices novices) {
    new Substitution(ops, block, novices).overwrite(block.layout().rows(ops));
  }

  private void overwrite(Rows rows) {
    if (rows instanceof Rows.PerExpert perExpert) {
      overwrite(perExpert.outputs());
    } else if (rows instanceof Rows.Dense dense) {
      overwrite(dense.outputs());
    } else if (rows instanceof Rows.Stacked stacked) {
      overwrite(stacked);
    } else if (rows instanceof Rows.PerSlot perSlot) {
      redirect(perSlot.outputs(), overwritten(perSlot.outputs(), ids()));
    } else if (rows instanceof Rows.Permuted permuted) {
      String ids = ops.gather(ids(), permuted.slots());
      redirect(permuted.outputs(), overwritten(permuted.outputs(), ids));
    } else if (rows instanceof Rows.Recomputed recomputed) {
      combine(overwritten(recomputed.outputs(), ids()));
    }
  }

  private void redirect(String raw, String overwritten) {
    ops.edit().redirect(raw, ops.reshapeLike(overwritten, raw));
  }

  private String ids() {
    return ops.reshape(block.routing().indices(ops), -1);
  }

  private void overwrite(List<String> outputs) {
    for (int expert : novices.experts()) {
      String raw = outputs.get(expert);
      redirect(raw, novices.inPlaceOf(ops, expert, ops.reshape(raw, -1, block.hidden())));
    }
  }

  private ElementType type(String raw) {
    return ops.edit().type(raw).orElseThrow();
  }

  /** Overwrites the experts where they lie along their axis. */
  private void overwrite(Rows.Stacked stacked) {
    String raw = stacked.outputs();
    boolean isInFront = stacked.axis() == 0;
    String rows = isInFront ? ops.reshape(raw, block.experts(), -1, block.hidden()) : raw;
    long[] novice = new long[isInFront ? 3 : stacked.rank() - stacked.axis()];
    Arrays.fill(novice, 1);
    novice[0] = block.experts();
    String isReplaced = ops.reshape(novices.isReplaced(ops), novice);
    novice[novice.length - 1] = block.hidden();
    String table = ops.reshape(novices.table(ops, type(raw)), novice);
    if (block.coefficients() instanceof Coefficients.OnInput) {
      table = ops.mul(table, chosen(type(raw)));
    }
    redirect(raw, ops.where(isReplaced, table, rows));
  }

  /** 1 where an expert is chosen, 0 elsewhere: {@code [experts, tokens, 1]}. */
  private String chosen(ElementType type) {
    List<Integer> experts = IntStream.range(0, block.experts()).boxed().toList();
    String all = block.coefficients().perExpert(ops, block.routing(), experts, type);
    long[] ids = IntStream.range(0, block.experts()).asLongStream().toArray();
    String byExpert = ops.transpose(ops.gather(all, ops.vector(ids), 1), 1L, 0L);
    return ops.reshape(byExpert, block.experts(), -1, 1);
  }

  /** The rows {@code raw [rows, hidden]} of these experts, novices where they were replaced. */
  private String overwritten(String raw, String ids) {
    return ops.where(
        ops.gather(novices.isReplaced(ops), ids),
        ops.gather(novices.table(ops, type(raw)), ids),
        ops.reshape(raw, -1, block.hidden()));
  }

  /** Puts the sum of coefficients times these rows in place of the block's routed output. */
  private void combine(String rows) {
    Routing routing = block.routing();
    String coefficients =
        block.coefficients().perChoice(ops, routing, routing.indices(ops)); // [tokens, topK]
    String gates = ops.cast(ops.reshape(coefficients, -1, 1), ElementType.FLOAT);
    String scaled = ops.mul(ops.cast(rows, ElementType.FLOAT), gates);
    String perToken = ops.reshape(scaled, -1, routing.topK(), routing.hidden());
    String routed = ops.cast(ops.reduceSum(perToken, false, 1), type(block.output()));
    redirect(block.output(), routed);
  }
}
