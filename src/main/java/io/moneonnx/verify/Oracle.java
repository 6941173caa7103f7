package io.moneonnx.verify;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Novices;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Replacement;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a rewritten model must compute: the original graph, with nothing removed, in which each
 * replaced expert's raw output is overwritten by its novice, and the neurons that a narrowed expert
 * lost are masked.
 */
public final class Oracle {
  private Oracle() {}

  /**
   * The original with novices and masks in place.
   *
   * @param outputs for each block the value that now is its routed output
   */
  public record Substituted(Model model, Map<String, String> outputs) {}

  /** Experts that are cut out are in no one's way: the original never chooses them. */
  public static Substituted of(
      Model original, List<MoeBlock> blocks, Map<String, ? extends Change> changes) {
    GraphEdit edit = new GraphEdit(original);
    Map<String, String> outputs = new HashMap<>();
    for (int i = 0; i < blocks.size(); i++) {
      MoeBlock block = blocks.get(i);
      Change change = changes.get(block.name());
      if (change instanceof Replacement replacement) {
        Ops ops = new Ops(edit, "mone.oracle." + i);
        new NeuronMask(ops, block).apply(replacement.narrow());
        if (!replacement.novices().isEmpty()) {
          block.overwrite(ops, new Constants(block, replacement));
        }
      }
      outputs.put(block.name(), edit.current(block.output()));
    }
    return new Substituted(edit.apply(), outputs);
  }

  /** Novices that do not change from run to run. */
  private record Constants(MoeBlock block, Replacement replacement) implements Novices {
    @Override
    public Collection<Integer> experts() {
      return replacement.experts();
    }

    @Override
    public String isReplaced(Ops ops) {
      float[] replaced = new float[block.experts()];
      experts().forEach(expert -> replaced[expert] = 1);
      List<Long> dims = List.of((long) block.experts(), 1L);
      return ops.greater(ops.constant("replaced", Tensor.of(dims, replaced)), ops.scalar(0f));
    }

    @Override
    public String table(Ops ops, ElementType type) {
      int hidden = block.hidden();
      float[] table = new float[block.experts() * hidden];
      replacement
          .novices()
          .forEach((expert, row) -> System.arraycopy(row, 0, table, expert * hidden, hidden));
      List<Long> dims = List.of((long) block.experts(), (long) hidden);
      return ops.constant("novices", Tensor.of(type, dims, table));
    }

    @Override
    public String inPlaceOf(Ops ops, int expert, String raw) {
      float[] novice = replacement.novices().get(expert);
      ElementType type = ops.edit().type(raw).orElseThrow();
      Tensor row = Tensor.of(type, List.of(1L, (long) novice.length), novice);
      return ops.expand(ops.constant("novice", row), ops.shape(raw));
    }
  }
}
