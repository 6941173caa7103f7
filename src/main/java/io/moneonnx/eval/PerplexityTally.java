package io.moneonnx.eval;

import io.moneonnx.graph.BadInputException;
import java.util.OptionalLong;

/**
 * Adds up how well windows are foreseen, and how that varies from one to the next. Deviations are
 * taken from means so far (Welford, Technometrics 4(3), 1962), so that none is lost in a difference
 * of large sums.
 */
final class PerplexityTally {
  private long windows;
  private long tokens;
  private double nats;
  private long right;
  private long bytes;
  private boolean isText = true;
  private double meanNats;
  private double meanTokens;
  private double spreadNats; // sum of (nats - mean)^2 over windows
  private double spreadTokens;
  private double together; // sum of (nats - mean) (tokens - mean)

  /** Adds a window in which so many tokens count. */
  void add(long itsTokens, double itsNats, long itsRight, OptionalLong itsBytes) {
    windows++;
    tokens += itsTokens;
    nats += itsNats;
    right += itsRight;
    bytes += itsBytes.orElse(0);
    isText &= itsBytes.isPresent();
    double natsBefore = itsNats - meanNats;
    double tokensBefore = itsTokens - meanTokens;
    meanNats += natsBefore / windows;
    meanTokens += tokensBefore / windows;
    spreadNats += natsBefore * (itsNats - meanNats);
    spreadTokens += tokensBefore * (itsTokens - meanTokens);
    together += natsBefore * (itsTokens - meanTokens);
  }

  /** Throws {@link BadInputException} if nothing was added; {@code source} is named then. */
  Perplexity perplexity(String source) {
    if (tokens == 0) {
      throw new BadInputException(
          source + ": holds no sequence of two tokens that count: nothing follows the first");
    }
    return new Perplexity(
        windows,
        tokens,
        nats,
        standardError(),
        right,
        isText ? OptionalLong.of(bytes) : OptionalLong.empty());
  }

  private double standardError() {
    double ratio = nats / tokens;
    double squares = spreadNats - 2 * ratio * together + ratio * ratio * spreadTokens;
    return Math.sqrt(Math.max(0, squares) * windows / (windows - 1)) / tokens;
  }
}
