package io.moneonnx.eval;

import java.util.OptionalLong;

/**
 * How well a model foresees the tokens of a text. Every token counts alike, unlike in {@link
 * Losses}, where every sequence does.
 *
 * @param windows of text, or sequences, in which any token counts
 * @param tokens that were foreseen
 * @param nats the sum of {@code -log p(token)} over them
 * @param standardError of the nats per token, by the spread between windows: that of a ratio of
 *     sums, {@code sqrt(W / (W - 1) sum (nats_w - r tokens_w)^2) / tokens} with {@code r} the nats
 *     per token (Cochran, Sampling Techniques, 3rd ed. 1977, chapter 6); not a number where there
 *     is one window only
 * @param right how many of them had the largest logit
 * @param bytes of UTF-8 that the tokens stand for; empty where any of them are not of text
 */
public record Perplexity(
    long windows, long tokens, double nats, double standardError, long right, OptionalLong bytes) {
  /** {@code exp(nats / tokens)}. */
  public double perToken() {
    return Math.exp(natsPerToken());
  }

  /** The mean loss. */
  public double natsPerToken() {
    return nats / tokens;
  }

  /** {@code exp(nats / bytes)}: the same for tokenizers of any kind. Only for text. */
  public double perByte() {
    return Math.exp(nats / bytes.orElseThrow());
  }

  /** {@code nats / (bytes log 2)}. Only for text. */
  public double bitsPerByte() {
    return nats / bytes.orElseThrow() / Math.log(2);
  }

  /** The part of the tokens that had the largest logit. */
  public double accuracy() {
    return (double) right / tokens;
  }
}
