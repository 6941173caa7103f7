package io.moneonnx.eval;

import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Novices;
import io.moneonnx.moe.SelectionMask;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The original, in which what becomes of each expert is an input, and whose only outputs say how
 * well it foresees tokens.
 *
 * @param choices the inputs of each block
 * @param masks by name of block what takes experts out of its router's choice
 */
record EvaluationGraph(
    Model model,
    NextToken nextToken,
    List<Choices> choices,
    NextToken.Outputs outputs,
    Map<String, SelectionMask> masks) {
  static final String PREFIX = "mone.eval.";

  /**
   * The inputs that decide on one block's experts.
   *
   * @param replaced bool {@code [experts]}: true where the novice stands in
   * @param novices float32 {@code [experts, hidden]}
   * @param gone bool {@code [experts]}: true where the router has lost the expert; absent where it
   *     cannot lose any
   */
  record Choices(MoeBlock block, String replaced, String novices, Optional<String> gone) {}

  static EvaluationGraph of(Model original, List<MoeBlock> blocks, NextToken nextToken) {
    RouterMasking cuttable = RouterMasking.of(original, blocks);
    GraphEdit edit = new GraphEdit(cuttable.model());
    List<Choices> choices = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      MoeBlock block = blocks.get(i);
      Ops ops = new Ops(edit, PREFIX + i);
      Choices inputs = declare(ops, block, Optional.ofNullable(cuttable.gone().get(block.name())));
      block.overwrite(ops, new Fed(inputs));
      choices.add(inputs);
    }
    NextToken.Outputs outputs = nextToken.addTo(new Ops(edit, PREFIX + "loss"));
    return new EvaluationGraph(
        only(edit.apply(), outputs.names()),
        nextToken,
        List.copyOf(choices),
        outputs,
        cuttable.masks());
  }

  /** The model with these outputs alone, and without what only others need. */
  static Model only(Model model, Collection<String> outputs) {
    List<Value> wanted =
        model.graph().outputs().stream().filter(out -> outputs.contains(out.name())).toList();
    return model.withGraph(DeadCode.remove(model.graph().withOutputs(wanted)));
  }

  private static Choices declare(Ops ops, MoeBlock block, Optional<String> gone) {
    Dimension experts = Dimension.of(block.experts());
    return new Choices(
        block,
        input(ops, "replaced", ElementType.BOOL, experts),
        input(ops, "novices", ElementType.FLOAT, experts, Dimension.of(block.hidden())),
        gone);
  }

  static String input(Ops ops, String hint, ElementType type, Dimension... shape) {
    String name = ops.edit().fresh(ops.prefix() + "/" + hint);
    ops.edit().addInput(Value.of(name, type, shape));
    return name;
  }

  /** Novices that are fed: any expert may be replaced in any run. */
  private record Fed(Choices inputs) implements Novices {
    @Override
    public Collection<Integer> experts() {
      return inputs.block().owners();
    }

    @Override
    public String isReplaced(Ops ops) {
      return ops.unsqueeze(inputs.replaced(), 1);
    }

    @Override
    public String table(Ops ops, ElementType type) {
      return ops.cast(inputs.novices(), type);
    }

    @Override
    public String inPlaceOf(Ops ops, int expert, String raw) {
      String row = ops.vector(expert);
      String novice = ops.gather(table(ops, ops.edit().type(raw).orElseThrow()), row);
      return ops.where(ops.gather(isReplaced(ops), row), novice, raw);
    }
  }
}
