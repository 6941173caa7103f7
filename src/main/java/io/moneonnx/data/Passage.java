package io.moneonnx.data;

import io.moneonnx.graph.Tensor;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * One run of a language model that is to foresee tokens.
 *
 * @param source the tag or the file that the tokens are of
 * @param feeds every input that the model wants, by name
 * @param next the token after each position, int64 {@code [batch, seq]}
 * @param rows what counts of each row; rows after these only fill the batch
 */
public record Passage(String source, Map<String, Tensor> feeds, Tensor next, List<Row> rows) {
  public Passage {
    rows = List.copyOf(rows);
  }

  /**
   * What counts of one window or sequence.
   *
   * @param counts the positions whose next token counts
   * @param bytes of the text that these tokens stand for; empty where they are not of text
   */
  public record Row(BitSet counts, OptionalLong bytes) {}
}
