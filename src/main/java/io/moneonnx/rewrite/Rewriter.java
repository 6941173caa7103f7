package io.moneonnx.rewrite;

import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.moe.MoeBlock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Replaces experts by novices, narrows them, or cuts them out: the same steps for every form. */
public final class Rewriter {
  private Rewriter() {}

  /**
   * The model with these changes, which says in its metadata what they are; the original itself
   * where nothing is changed.
   *
   * @param changes by name of block; blocks without one stay untouched
   * @throws io.moneonnx.graph.BadInputException if a router cannot lose the experts that it should,
   *     or an expert its neurons
   */
  public static Model rewrite(
      Canonical model, List<MoeBlock> blocks, Map<String, ? extends Change> changes) {
    GraphEdit edit = model.edit();
    List<Provenance.Target> targets = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      MoeBlock block = blocks.get(i);
      Change change = changes.get(block.name());
      if (change != null && !change.isNothing()) {
        targets.add(apply(change, new Ops(edit, prefix(i)), block));
      }
    }
    return targets.isEmpty() ? model.original() : Provenance.with(model.spelled(edit), targets);
  }

  /** How the values begin that are made for a block, by where it stands in the model's list. */
  public static String prefix(int block) {
    return "mone." + block;
  }

  private static Provenance.Target apply(Change change, Ops ops, MoeBlock block) {
    String novices = "";
    if (change instanceof Replacement replacement) {
      novices = replace(replacement, ops, block);
    } else if (change instanceof Removal removal) {
      block.cut(ops, removal.router(ops.edit().graph(), block), removal.ids());
    }
    return new Provenance.Target(block.name(), block.experts(), change, novices);
  }

  /** The initializer whose rows are the novices; nothing is added where all of them are zero. */
  private static String replace(Replacement replacement, Ops ops, MoeBlock block) {
    TreeSet<Integer> gone = new TreeSet<>(replacement.experts());
    if (replacement.narrow().isEmpty()) {
      block.remove(ops, gone);
    } else {
      replacement.neurons(ops.edit().graph(), block).apply(ops, replacement.narrow(), gone);
    }
    if (replacement.isByNothing()) {
      return "";
    }
    NoviceTerm term = new NoviceTerm(ops, block);
    String novices = term.novices(replacement);
    String kept = ops.edit().current(block.output());
    ops.edit().redirect(block.output(), term.addTo(kept, replacement, novices));
    return novices;
  }
}
