package io.moneonnx.eval;

import io.moneonnx.data.Passage;
import io.moneonnx.graph.BadInputException;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/** Runs a model on passages and keeps account of each source, and of all their tokens together. */
public final class PerplexityBySource implements Consumer<Passage> {
  private final TokenLossModel model;
  private final Map<String, PerplexityTally> sources = new LinkedHashMap<>();
  private final PerplexityTally total = new PerplexityTally();

  public PerplexityBySource(TokenLossModel model) {
    this.model = model;
  }

  /**
   * Runs the model once.
   *
   * @throws BadInputException if the model puts out no finite loss for a token that counts
   */
  @Override
  public void accept(Passage passage) {
    PerplexityTally source =
        sources.computeIfAbsent(passage.source(), name -> new PerplexityTally());
    TokenLossModel.Foreseen found = model.of(passage);
    float[] loss = found.loss().toFloats();
    float[] right = found.right().toFloats();
    int length = passage.next().dims().get(1).intValue();
    for (int row = 0; row < passage.rows().size(); row++) {
      Passage.Row counted = passage.rows().get(row);
      if (!counted.counts().isEmpty()) {
        double nats = sum(loss, row * length, counted.counts());
        requireFinite(nats, passage.source());
        long best = Math.round(sum(right, row * length, counted.counts()));
        int tokens = counted.counts().cardinality();
        source.add(tokens, nats, best, counted.bytes());
        total.add(tokens, nats, best, counted.bytes());
      }
    }
  }

  private static double sum(float[] values, int from, BitSet counts) {
    return counts.stream().mapToDouble(position -> values[from + position]).sum();
  }

  private static void requireFinite(double nats, String source) {
    if (!Double.isFinite(nats)) {
      throw new BadInputException(
          "%s: the model's loss is %s for some token, expected a number".formatted(source, nats));
    }
  }

  /**
   * By source, in the order in which they came.
   *
   * @throws BadInputException if nothing of one of them was foreseen
   */
  public Map<String, Perplexity> sources() {
    Map<String, Perplexity> found = new LinkedHashMap<>();
    sources.forEach((name, tally) -> found.put(name, tally.perplexity(name)));
    return Collections.unmodifiableMap(found);
  }

  /** Over all tokens: a source with more of them counts more. */
  public Perplexity total() {
    return total.perplexity("all data");
  }
}
