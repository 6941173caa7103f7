package io.moneonnx.eval;

import io.moneonnx.data.UnmaskedTokens;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A language model opened once, in which what becomes of its experts may change from run to run: a
 * plan costs one pass over the test data to try, and no model is written.
 */
public final class Evaluation implements AutoCloseable {
  private final EvaluationGraph graph;
  private final Session session;

  private Evaluation(EvaluationGraph graph, Session session) {
    this.graph = graph;
    this.session = session;
  }

  /**
   * Opens a model.
   *
   * @param model in its canonical spelling, in which the blocks were found
   * @param folder where the model's files lie
   * @param blocks those whose experts may be replaced
   */
  public static Evaluation open(
      Model model, Path folder, List<MoeBlock> blocks, NextToken nextToken, RunOptions options) {
    EvaluationGraph graph = EvaluationGraph.of(model, blocks, nextToken);
    Session session =
        Session.open("the evaluation graph", options.fitting(graph.model()), folder, options);
    return new Evaluation(graph, session);
  }

  /**
   * How well the model foresees sequences when this is done to its experts.
   *
   * @param batches feeds of the model, one run each; tokens that an attention mask hides do not
   *     count
   * @throws BadInputException if no sequence has two tokens, or a router is to be cut that cannot
   */
  public Losses losses(ModelChanges treatment, Iterable<Map<String, Tensor>> batches) {
    check(treatment);
    Map<String, Tensor> choices = choices(treatment);
    List<Double> nats = new ArrayList<>();
    List<Double> right = new ArrayList<>();
    List<Integer> tokens = new ArrayList<>();
    Set<String> asked = graph.outputs().names();
    for (Map<String, Tensor> batch : batches) {
      if (batch.get(graph.nextToken().tokens()).dims().get(1) < 2) {
        continue;
      }
      Map<String, Tensor> feeds = new HashMap<>(batch);
      feeds.putAll(choices);
      Map<String, Tensor> found = session.run(feeds, asked);
      Counted counted = new Counted(UnmaskedTokens.of(batch, graph.nextToken().tokens()));
      nats.addAll(counted.means(found.get(graph.outputs().loss())));
      right.addAll(counted.means(found.get(graph.outputs().right())));
      tokens.addAll(counted.counts(found.get(graph.outputs().loss()).dims()));
    }
    if (nats.isEmpty()) {
      throw new BadInputException("the test data hold no sequence of two tokens: nothing follows");
    }
    return new Losses(nats, right, tokens);
  }

  /** Throws {@link BadInputException} where a router cannot lose what is taken out of it. */
  public void check(ModelChanges treatment) {
    for (EvaluationGraph.Choices inputs : graph.choices()) {
      String block = inputs.block().name();
      Set<Integer> gone = Set.copyOf(treatment.gone(block));
      if (!gone.isEmpty()) {
        graph.masks().get(block).objection(gone).ifPresent(reason -> refuse(block, reason));
      }
    }
  }

  private static void refuse(String block, String reason) {
    throw new BadInputException(
        "block '%s': its router cannot be cut: %s".formatted(block, reason));
  }

  private Map<String, Tensor> choices(ModelChanges treatment) {
    Map<String, Tensor> feeds = new HashMap<>();
    for (EvaluationGraph.Choices inputs : graph.choices()) {
      MoeBlock block = inputs.block();
      Replacement replaced = treatment.replaced(block.name());
      List<Integer> gone = treatment.gone(block.name());
      feeds.put(inputs.replaced(), flags(block, replaced.experts()));
      feeds.put(inputs.novices(), novices(block, replaced));
      inputs.gone().ifPresent(input -> feeds.put(input, flags(block, gone)));
    }
    return feeds;
  }

  private static Tensor flags(MoeBlock block, List<Integer> experts) {
    byte[] flags = new byte[block.experts()];
    experts.forEach(expert -> flags[expert] = 1);
    List<Long> dims = List.of((long) flags.length);
    return new Tensor.Inline(ElementType.BOOL, dims, ByteBuffer.wrap(flags));
  }

  private static Tensor novices(MoeBlock block, Replacement replacement) {
    float[] rows = new float[block.experts() * block.hidden()];
    replacement
        .novices()
        .forEach(
            (expert, novice) ->
                System.arraycopy(novice, 0, rows, expert * block.hidden(), block.hidden()));
    return Tensor.of(List.of((long) block.experts(), (long) block.hidden()), rows);
  }

  @Override
  public void close() {
    session.close();
  }
}
