package io.moneonnx.eval;

import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.SelectionMask;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model in which routers can lose experts from run to run.
 *
 * @param gone by name of block the input, bool {@code [experts]}, that says which are gone
 * @param masks by name of block what takes experts out of its choice, or says why it cannot
 */
record RouterMasking(Model model, Map<String, String> gone, Map<String, SelectionMask> masks) {
  RouterMasking {
    gone = Collections.unmodifiableMap(new LinkedHashMap<>(gone));
    masks = Map.copyOf(masks);
  }

  static RouterMasking of(Model model, List<MoeBlock> blocks) {
    GraphEdit edit = new GraphEdit(withScores(model, blocks));
    Map<String, String> gone = new LinkedHashMap<>();
    Map<String, SelectionMask> masks = new LinkedHashMap<>();
    for (int i = 0; i < blocks.size(); i++) {
      MoeBlock block = blocks.get(i);
      Ops ops = new Ops(edit, EvaluationGraph.PREFIX + i);
      SelectionMask mask = SelectionMask.of(model.graph(), block.routing());
      masks.put(block.name(), mask);
      if (mask.objection().isEmpty()) {
        Dimension experts = Dimension.of(block.experts());
        String input = EvaluationGraph.input(ops, "gone", ElementType.BOOL, experts);
        mask.mask(ops, input);
        gone.put(block.name(), input);
      }
    }
    return new RouterMasking(like(model.graph(), edit.apply()), gone, masks);
  }

  /**
   * Scores for outputs: an edit keeps the names of outputs, so that blocks still find their scores
   * where they were, with experts gone.
   */
  private static Model withScores(Model model, List<MoeBlock> blocks) {
    List<Value> outputs = new ArrayList<>(model.graph().outputs());
    for (MoeBlock block : blocks) {
      String scores = block.routing().choice().scores();
      if (outputs.stream().noneMatch(output -> output.name().equals(scores))) {
        outputs.add(Value.undeclared(scores));
      }
    }
    return model.withGraph(model.graph().withOutputs(outputs));
  }

  /** The changed model with the outputs and the declared types of before: they still hold. */
  private static Model like(Graph before, Model changed) {
    return changed.withGraph(
        changed.graph().withDeclared(before.declared()).withOutputs(before.outputs()));
  }
}
