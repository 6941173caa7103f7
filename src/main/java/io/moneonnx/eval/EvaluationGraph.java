package io.moneonnx.eval;

import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Flat;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.verify.Substitution;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The original, in which what becomes of each expert is an input, and whose only outputs say how
 * well it foresees tokens.
 *
 * @param choices the inputs of each block
 */
record EvaluationGraph(
    Model model, NextToken nextToken, List<Choices> choices, NextToken.Outputs outputs) {

  /**
   * The inputs that decide on one block's experts.
   *
   * @param replaced bool {@code [experts]}: true where the novice stands in
   * @param novices float32 {@code [experts, hidden]}
   * @param gone bool {@code [experts]}: true where the router has lost the expert
   */
  record Choices(MoeBlock block, String replaced, String novices, String gone) {}

  static EvaluationGraph of(Model original, List<MoeBlock> blocks, NextToken nextToken) {
    GraphEdit edit = new GraphEdit(Flat.of(original));
    List<Choices> choices = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      Ops ops = new Ops(edit, "mone.eval." + i);
      Choices inputs = declare(ops, blocks.get(i));
      Substitution.apply(ops, blocks.get(i), new Fed(inputs));
      choices.add(inputs);
    }
    NextToken.Outputs outputs = nextToken.addTo(new Ops(edit, "mone.eval"));
    Model both = edit.apply();
    List<Value> wanted =
        both.graph().outputs().stream()
            .filter(out -> List.of(outputs.loss(), outputs.right()).contains(out.name()))
            .toList();
    Model measured = both.withGraph(DeadCode.remove(both.graph().withOutputs(wanted)));
    return new EvaluationGraph(measured, nextToken, List.copyOf(choices), outputs);
  }

  private static Choices declare(Ops ops, MoeBlock block) {
    Dimension experts = Dimension.of(block.experts());
    return new Choices(
        block,
        input(ops, "replaced", ElementType.BOOL, experts),
        input(ops, "novices", ElementType.FLOAT, experts, Dimension.of(block.hidden())),
        input(ops, "gone", ElementType.BOOL, experts));
  }

  private static String input(Ops ops, String hint, ElementType type, Dimension... shape) {
    String name = ops.edit().fresh(ops.prefix() + "/" + hint);
    ops.edit().addInput(Value.of(name, type, shape));
    return name;
  }

  /** Novices that are fed: any expert may be replaced in any run. */
  private record Fed(Choices inputs) implements Substitution.Novices {
    @Override
    public Collection<Integer> experts() {
      return IntStream.range(0, inputs.block().experts()).boxed().toList();
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
