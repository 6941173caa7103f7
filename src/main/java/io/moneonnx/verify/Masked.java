package io.moneonnx.verify;

import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.moe.Choice;
import io.moneonnx.moe.Claim;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.rewrite.Rewriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The original, with nothing removed, in which experts that are to be cut out are never chosen:
 * their scores are minus infinity.
 *
 * @param blocks the model's blocks, their choice where it now is
 */
record Masked(Model model, List<MoeBlock> blocks) {
  /** Masks what is cut out; what is replaced stays as it is. */
  static Masked of(Model original, List<MoeBlock> blocks, Map<String, ? extends Change> changes) {
    GraphEdit edit = new GraphEdit(original);
    List<MoeBlock> masked = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      MoeBlock block = blocks.get(i);
      if (changes.get(block.name()) instanceof Removal removal) {
        Ops ops = new Ops(edit, Rewriter.prefix(i)); // the same names as in the rewritten file
        block = choosing(block, RouterMask.apply(ops, block.routing(), removal.ids()));
      }
      masked.add(block);
    }
    return new Masked(edit.apply(), masked);
  }

  private static MoeBlock choosing(MoeBlock block, String scores) {
    Choice choice = block.routing().choice();
    Claim claim = block.claim();
    return new MoeBlock(
        block.name(),
        block.form(),
        block.precision(),
        new Claim(
            block.routing().with(choice.by(scores)),
            block.routingWeights().by(choice.value(), scores),
            claim.output(),
            claim.weights(),
            claim.owners(),
            claim.expertBytes(),
            claim.ffn(),
            claim.layout()));
  }
}
