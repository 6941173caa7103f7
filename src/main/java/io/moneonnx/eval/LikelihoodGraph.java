package io.moneonnx.eval;

import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Value;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * A language model that says how likely given tokens are, so that logits never leave the runtime.
 *
 * <pre>{@code
 * needed = Gather <axis = 1> (logits, positions)                        [batch, n, vocabulary]
 * scores = GatherElements <axis = 2> (LogSoftmax (needed), targets)     [batch, n, slots]
 * }</pre>
 *
 * @param positions the input, int64 {@code [n]}, of positions after which tokens are asked for
 * @param targets the input, int64 {@code [batch, n, slots]}, of tokens asked for after each
 * @param scores the output, float32 {@code [batch, n, slots]}, of their log-probabilities in nats
 */
record LikelihoodGraph(Model model, String positions, String targets, String scores) {
  private static final String PREFIX = "mone.likelihood";

  /** The graph of a model; it keeps the outputs called {@code kept} beside its own. */
  static LikelihoodGraph of(Model original, NextToken nextToken, Collection<String> kept) {
    GraphEdit edit = new GraphEdit(original);
    Ops ops = new Ops(edit, PREFIX);
    String positions =
        EvaluationGraph.input(ops, "positions", ElementType.INT64, Dimension.of("positions"));
    String targets =
        EvaluationGraph.input(
            ops,
            "targets",
            ElementType.INT64,
            Dimension.of("rows"),
            Dimension.of("positions"),
            Dimension.of("slots"));
    String needed = ops.gather(edit.current(nextToken.logits()), positions, 1);
    String scores =
        ops.gatherElements(ops.logSoftmax(ops.cast(needed, ElementType.FLOAT)), targets, 2);
    edit.addOutput(Value.untyped(scores, ElementType.FLOAT));
    List<String> outputs = new ArrayList<>(kept);
    outputs.add(scores);
    Model model = EvaluationGraph.only(edit.apply(), outputs);
    return new LikelihoodGraph(model, positions, targets, scores);
  }
}
