package io.moneonnx.eval;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Value;
import java.util.Set;

/**
 * How well a language model foresees each next token, computed in the graph, so that logits never
 * leave the runtime.
 *
 * <pre>{@code
 * next  = Slice (tokens, 1, end)                                            [batch, seq - 1]
 * loss  = -GatherElements <axis = 2> (LogSoftmax (logits without the last position), next)
 * right = ArgMax (logits without the last position) == next
 * }</pre>
 *
 * @param tokens the input of token ids, {@code [batch, seq]}
 * @param logits the output that scores the token after each position, {@code [batch, seq,
 *     vocabulary]}
 */
public record NextToken(String tokens, String logits) {
  /**
   * Values of the graph for each token but the first: float32 {@code [batch, seq - 1]}.
   *
   * @param loss in nats
   * @param right 1 where the token has the largest logit, otherwise 0
   */
  record Outputs(String loss, String right) {
    Set<String> names() {
      return Set.of(loss, right);
    }
  }

  Outputs addTo(Ops ops) {
    String before = ops.slice(scores(ops), 1, 0, -1);
    String next = ops.slice(ops.cast(tokens, ElementType.INT64), 1, 1, Long.MAX_VALUE);
    return compare(ops, before, next);
  }

  /**
   * The same where the token after each position is fed, that after the last one as well.
   *
   * @param next an input, int64 {@code [batch, seq]}
   * @return values {@code [batch, seq]}
   */
  Outputs addTo(Ops ops, String next) {
    return compare(ops, scores(ops), next);
  }

  private String scores(Ops ops) {
    return ops.cast(ops.edit().current(logits), ElementType.FLOAT);
  }

  private static Outputs compare(Ops ops, String before, String next) {
    String scores = ops.gatherElements(ops.logSoftmax(before), ops.unsqueeze(next, 2), 2);
    String loss = ops.neg(ops.squeeze(scores, 2));
    String right = ops.cast(ops.equal(ops.argMax(before), next), ElementType.FLOAT);
    ops.edit().addOutput(Value.untyped(loss, ElementType.FLOAT));
    ops.edit().addOutput(Value.untyped(right, ElementType.FLOAT));
    return new Outputs(loss, right);
  }
}
