package io.moneonnx.verify;

import io.moneonnx.graph.Flat;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Rows;
import io.moneonnx.rewrite.Replacement;
import java.util.List;
import java.util.Map;

/**
 * What a rewritten model must compute: the original graph, with nothing removed, in which each
 * replaced expert's raw output is overwritten by its novice.
 */
final class Oracle {
  private Oracle() {}

  static Model of(Model original, List<MoeBlock> blocks, Map<String, Replacement> replacements) {
    GraphEdit edit = new GraphEdit(Flat.of(original));
    for (int i = 0; i < blocks.size(); i++) {
      MoeBlock block = blocks.get(i);
      Replacement replacement = replacements.get(block.name());
      if (replacement != null && !replacement.experts().isEmpty()) {
        overwrite(new Ops(edit, "mone.oracle." + i), block, replacement);
      }
    }
    return edit.apply();
  }

  private static void overwrite(Ops ops, MoeBlock block, Replacement replacement) {
    Rows rows = block.layout().rows(ops);
    if (rows instanceof Rows.PerExpert perExpert) {
      overwrite(ops, perExpert.outputs(), replacement);
    } else if (rows instanceof Rows.Dense dense) {
      overwrite(ops, dense.outputs(), replacement);
    } else if (rows instanceof Rows.PerSlot perSlot) {
      overwriteSlots(ops, block, replacement, perSlot.outputs());
    }
  }

  private static void overwrite(Ops ops, List<String> outputs, Replacement replacement) {
    replacement.novices().forEach((expert, novice) -> overwrite(ops, outputs.get(expert), novice));
  }

  private static void overwrite(Ops ops, String raw, float[] novice) {
    String constant = ops.constant("novice", Tensor.of(List.of(1L, (long) novice.length), novice));
    ops.edit().redirect(raw, ops.expand(constant, ops.shape(raw)));
  }

  private static void overwriteSlots(Ops ops, MoeBlock block, Replacement replacement, String raw) {
    int hidden = block.hidden();
    float[] table = new float[block.experts() * hidden];
    float[] replaced = new float[block.experts()];
    replacement
        .novices()
        .forEach(
            (expert, novice) -> {
              System.arraycopy(novice, 0, table, expert * hidden, hidden);
              replaced[expert] = 1;
            });
    long experts = block.experts();
    String ids = ops.reshape(block.routing().indices(), -1);
    String novices =
        ops.gather(ops.constant("novices", Tensor.of(List.of(experts, (long) hidden), table)), ids);
    String isReplaced =
        ops.gather(
            ops.constant("replaced", Tensor.of(List.of(experts, 1L), replaced)), ids); // [slots, 1]
    String overwritten =
        ops.where(ops.greater(isReplaced, ops.scalar(0f)), novices, ops.reshape(raw, -1, hidden));
    ops.edit().redirect(raw, ops.reshapeLike(overwritten, raw));
  }
}
