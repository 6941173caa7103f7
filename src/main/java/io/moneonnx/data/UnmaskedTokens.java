package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Map;

/** Which tokens of some sequences count: those that an attention mask does not hide. */
public final class UnmaskedTokens {
  private static final String MASK = "attention_mask";

  /** By sequence and token; null where every token counts. */
  private final boolean[][] shown;

  private UnmaskedTokens(boolean[][] shown) {
    this.shown = shown;
  }

  /**
   * Those that {@code attention_mask} shows.
   *
   * @param tokens name of the input {@code [batch, sequence]} that takes the tokens
   */
  public static UnmaskedTokens of(Map<String, Tensor> feeds, String tokens) {
    return of(feeds, tokens, MASK);
  }

  /**
   * Those that a mask {@code [batch, past + sequence]} shows; all where there is none, or where it
   * is one that is added to scores.
   *
   * @throws BadInputException if there are more tokens than the mask speaks of
   */
  public static UnmaskedTokens of(Map<String, Tensor> feeds, String tokens, String mask) {
    Tensor given = feeds.get(mask);
    if (given == null || given.rank() != 2 || given.type().isFloating()) {
      return new UnmaskedTokens(null);
    }
    long[] seen = given.toLongs();
    int width = given.dims().get(1).intValue();
    int sequence = sequence(feeds.get(tokens), width);
    if (width < sequence) {
      throw new BadInputException(
          "'%s' %s hides or shows fewer tokens than '%s' has, %d a sequence"
              .formatted(mask, given.dims(), tokens, sequence));
    }
    boolean[][] shown = new boolean[given.dims().get(0).intValue()][sequence];
    boolean areAllShown = true;
    for (int row = 0; row < shown.length; row++) {
      for (int token = 0; token < sequence; token++) {
        int column = width - sequence + token; // what lies before is the past
        shown[row][token] = seen[row * width + column] != 0;
        areAllShown &= shown[row][token];
      }
    }
    return new UnmaskedTokens(areAllShown ? null : shown);
  }

  private static int sequence(Tensor ids, int width) {
    return ids != null && ids.rank() == 2 ? ids.dims().get(1).intValue() : width;
  }

  /** True where nothing is hidden. */
  public boolean areAll() {
    return shown == null;
  }

  /** Sequences that a mask speaks of; 0 where nothing is hidden. */
  public int sequences() {
    return shown == null ? 0 : shown.length;
  }

  /** Tokens of each sequence that a mask speaks of; 0 where nothing is hidden. */
  public int length() {
    return shown == null ? 0 : shown[0].length;
  }

  /** True for a token that counts. */
  public boolean isShown(int sequence, int token) {
    return shown == null || shown[sequence][token];
  }

  /** True for a token that counts, as the one before it does: one that can be foreseen. */
  public boolean isForeseen(int sequence, int token) {
    return token > 0 && isShown(sequence, token - 1) && isShown(sequence, token);
  }

  /**
   * Ones and zeros {@code [tokens]}, sequence by sequence, or a single one where every token
   * counts.
   */
  public Tensor ones() {
    if (shown == null) {
      return Tensor.of(List.of(1L), 1f);
    }
    float[] ones = new float[shown.length * shown[0].length];
    for (int i = 0; i < ones.length; i++) {
      ones[i] = shown[i / shown[0].length][i % shown[0].length] ? 1 : 0;
    }
    return Tensor.of(List.of((long) ones.length), ones);
  }
}
