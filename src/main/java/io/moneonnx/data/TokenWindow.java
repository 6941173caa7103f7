package io.moneonnx.data;

import java.util.List;
import java.util.stream.LongStream;

/**
 * Tokens in a row: all but the last are fed, all but the first foreseen.
 *
 * @param first the place among those foreseen of the first that counts; all after it do, those
 *     before counted in the window before
 */
record TokenWindow(List<TextToken> tokens, int first) {
  TokenWindow {
    tokens = List.copyOf(tokens);
  }

  /** How many tokens the model sees. */
  int length() {
    return tokens.size() - 1;
  }

  LongStream fed() {
    return ids(0);
  }

  /** The token after each that is fed. */
  LongStream next() {
    return ids(1);
  }

  private LongStream ids(int from) {
    return tokens.subList(from, from + length()).stream().mapToLong(TextToken::id);
  }

  /** Bytes of the text that the tokens that count stand for. */
  long bytes() {
    return tokens.subList(first + 1, tokens.size()).stream().mapToLong(TextToken::bytes).sum();
  }
}
