package io.moneonnx.eval;

import io.moneonnx.data.Passage;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * A language model as it is, opened once and told the token after each position; it says how well
 * it foresees them. Its own outputs are not computed for anything else.
 */
public final class TokenLossModel implements AutoCloseable {
  private final String next;
  private final NextToken.Outputs outputs;
  private final Session session;

  private TokenLossModel(String next, NextToken.Outputs outputs, Session session) {
    this.next = next;
    this.outputs = outputs;
    this.session = session;
  }

  /**
   * How well tokens were foreseen, float32 {@code [batch, seq]} each.
   *
   * @param loss in nats
   * @param right 1 where the token has the largest logit, otherwise 0
   */
  record Foreseen(Tensor loss, Tensor right) {}

  /**
   * Opens a model.
   *
   * @param folder where the model's files lie
   */
  public static TokenLossModel open(
      Model model, Path folder, NextToken nextToken, RunOptions options) {
    GraphEdit edit = new GraphEdit(model);
    Ops ops = new Ops(edit, EvaluationGraph.PREFIX + "loss");
    String next =
        EvaluationGraph.input(
            ops, "next", ElementType.INT64, Dimension.of("rows"), Dimension.of("positions"));
    NextToken.Outputs outputs = nextToken.addTo(ops, next);
    Model measuring = EvaluationGraph.only(edit.apply(), outputs.names());
    Session session =
        Session.open("the evaluation graph", options.fitting(measuring), folder, options);
    return new TokenLossModel(next, outputs, session);
  }

  Foreseen of(Passage passage) {
    Map<String, Tensor> feeds = new HashMap<>(passage.feeds());
    feeds.put(next, passage.next());
    Map<String, Tensor> found = session.run(feeds, outputs.names());
    return new Foreseen(found.get(outputs.loss()), found.get(outputs.right()));
  }

  @Override
  public void close() {
    session.close();
  }
}
