package io.moneonnx.rewrite;

import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.moe.MoeBlock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Replaces experts by novices: the same steps for every form. */
public final class Rewriter {
  private Rewriter() {}

  /**
   * A rewritten model.
   *
   * @param outputs for each rewritten block the value that now is its routed output
   */
  public record Rewritten(Model model, Map<String, String> outputs) {}

  /**
   * The model with these replacements; the original is left as it is.
   *
   * @param replacements by name of block; blocks without one stay untouched
   */
  public static Rewritten rewrite(
      Model model, List<MoeBlock> blocks, Map<String, Replacement> replacements) {
    GraphEdit edit = new GraphEdit(model);
    Map<String, String> outputs = new LinkedHashMap<>();
    List<Provenance.Target> targets = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      MoeBlock block = blocks.get(i);
      Replacement replacement = replacements.get(block.name());
      if (replacement == null || replacement.experts().isEmpty()) {
        continue;
      }
      Ops ops = new Ops(edit, "mone." + i);
      block.layout().remove(ops, new TreeSet<>(replacement.experts()));
      String kept = edit.current(block.output());
      NoviceTerm term = new NoviceTerm(ops, block);
      String novices = term.novices(replacement);
      String output = term.addTo(kept, replacement, novices);
      edit.redirect(block.output(), output);
      outputs.put(block.name(), output);
      targets.add(new Provenance.Target(block.name(), block.experts(), replacement, novices));
    }
    return new Rewritten(Provenance.with(edit.apply(), targets), outputs);
  }
}
