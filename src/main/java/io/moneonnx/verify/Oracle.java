package io.moneonnx.verify;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Flat;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Coefficients;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.Rows;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Replacement;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What a rewritten model must compute: the original graph, with nothing removed, in which each
 * replaced expert's raw output is overwritten by its novice.
 */
final class Oracle {
  private final Ops ops;
  private final MoeBlock block;
  private final Replacement replacement;

  private Oracle(Ops ops, MoeBlock block, Replacement replacement) {
    this.ops = ops;
    this.block = block;
    this.replacement = replacement;
  }

  /**
   * The original with novices in place.
   *
   * @param outputs for each block the value that now is its routed output
   */
  record Substituted(Model model, Map<String, String> outputs) {}

  /** Experts that are cut out are in no one's way: the original never chooses them. */
  static Substituted of(
      Model original, List<MoeBlock> blocks, Map<String, ? extends Change> changes) {
    GraphEdit edit = new GraphEdit(Flat.of(original));
    Map<String, String> outputs = new HashMap<>();
    for (int i = 0; i < blocks.size(); i++) {
      MoeBlock block = blocks.get(i);
      Change change = changes.get(block.name());
      if (change instanceof Replacement replacement && !replacement.experts().isEmpty()) {
        Ops ops = new Ops(edit, "mone.oracle." + i);
        new Oracle(ops, block, replacement).overwrite(block.layout().rows(ops));
      }
      outputs.put(block.name(), edit.current(block.output()));
    }
    return new Substituted(edit.apply(), outputs);
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
    replacement
        .novices()
        .forEach(
            (expert, novice) -> {
              String raw = outputs.get(expert);
              Tensor row = Tensor.of(type(raw), List.of(1L, (long) novice.length), novice);
              redirect(raw, ops.expand(ops.constant("novice", row), shape(raw)));
            });
  }

  private String shape(String raw) {
    return ops.shape(ops.reshape(raw, -1, block.hidden()));
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
    String isReplaced = ops.reshape(isReplaced(), novice);
    novice[novice.length - 1] = block.hidden();
    String novices = ops.reshape(novices(type(raw)), novice);
    if (block.coefficients() instanceof Coefficients.OnInput) {
      novices = ops.mul(novices, chosen(type(raw)));
    }
    redirect(raw, ops.where(isReplaced, novices, rows));
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
        ops.gather(isReplaced(), ids),
        ops.gather(novices(type(raw)), ids),
        ops.reshape(raw, -1, block.hidden()));
  }

  /** A constant {@code [experts, hidden]}. */
  private String novices(ElementType type) {
    int hidden = block.hidden();
    float[] table = new float[block.experts() * hidden];
    replacement
        .novices()
        .forEach((expert, row) -> System.arraycopy(row, 0, table, expert * hidden, hidden));
    List<Long> dims = List.of((long) block.experts(), (long) hidden);
    return ops.constant("novices", Tensor.of(type, dims, table));
  }

  /** Booleans {@code [experts, 1]}. */
  private String isReplaced() {
    float[] replaced = new float[block.experts()];
    replacement.novices().keySet().forEach(expert -> replaced[expert] = 1);
    List<Long> dims = List.of((long) block.experts(), 1L);
    return ops.greater(ops.constant("replaced", Tensor.of(dims, replaced)), ops.scalar(0f));
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
