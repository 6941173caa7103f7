package io.moneonnx.data;

import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Sequences of token ids as feeds of a model. Shorter ones are padded on the right by token 0,
 * which the mask does not hide: what comes later means nothing to a causal model.
 */
public final class TokenFeeds {
  private final ModelInputs inputs;
  private final Value tokens;
  private final FeedFiller filler;

  /**
   * Feeds of a model.
   *
   * @param tokens the input of token ids
   * @throws io.moneonnx.graph.BadInputException if the model wants more than tokens
   */
  public TokenFeeds(ModelInputs inputs, String tokens) {
    this.inputs = inputs;
    this.tokens = inputs.find(tokens).orElseThrow();
    this.filler = new FeedFiller(inputs);
    filler.requireEnough(Set.of(tokens));
  }

  /** Feeds of sequences from their beginning. */
  public Map<String, Tensor> of(List<List<Long>> rows) {
    return after(0, Map.of(), rows);
  }

  /**
   * Feeds of sequences that go on where others ended.
   *
   * @param seen how many tokens {@code pasts} hold
   * @param pasts by name of input
   */
  public Map<String, Tensor> after(long seen, Map<String, Tensor> pasts, List<List<Long>> rows) {
    Map<String, Tensor> given = new HashMap<>(pasts);
    given.put(tokens.name(), matrix(rows));
    return filler.fillAfter(seen, given);
  }

  private Tensor matrix(List<List<Long>> rows) {
    int longest = rows.stream().mapToInt(List::size).max().orElseThrow();
    int width = SequenceLength.fixed(inputs).orElse(longest);
    int batch = sequences(rows.size());
    long[] ids = new long[batch * width];
    for (int row = 0; row < rows.size(); row++) {
      for (int i = 0; i < rows.get(row).size(); i++) {
        ids[row * width + i] = rows.get(row).get(i);
      }
    }
    return Elements.ofLongs(ModelInputs.type(tokens), List.of((long) batch, (long) width), ids);
  }

  /**
   * How many sequences are run together.
   *
   * @param asked by the user, if anything
   * @param usual where nobody asks and the model does not fix it
   * @throws io.moneonnx.graph.BadInputException if the model takes another number only
   */
  public int batch(OptionalInt asked, int usual) {
    OptionalInt wanted =
        asked.isPresent() || inputs.batch().isPresent() ? asked : OptionalInt.of(usual);
    return BatchSize.choose(wanted, inputs).samples();
  }

  /** How many sequences are fed for so many: a model that takes no fewer gets some of nothing. */
  public int sequences(int rows) {
    return (int) inputs.batch().orElse(rows);
  }

  /** True where the model takes any number of sequences of any length. */
  public boolean areFree() {
    return inputs.batch().isEmpty() && SequenceLength.fixed(inputs).isEmpty();
  }
}
