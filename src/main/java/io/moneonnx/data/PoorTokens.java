package io.moneonnx.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * Counts the tokens of data, to warn of those that say little of how a model is used: many that the
 * tokenizer does not know, or one over and over.
 */
final class PoorTokens {
  private static final double MOST_UNKNOWN = 0.03;
  private static final double MOST_OF_ONE = 0.5;

  private final OptionalLong unknown;
  private final Map<Long, Long> counts = new TreeMap<>();
  private long all;

  /**
   * None yet.
   *
   * @param unknown the token that stands for what the tokenizer does not know, if it has one
   */
  PoorTokens(OptionalLong unknown) {
    this.unknown = unknown;
  }

  void add(long token) {
    counts.merge(token, 1L, Long::sum);
    all++;
  }

  /**
   * What is wrong with all tokens so far, mostly nothing.
   *
   * @param source what messages call the data
   */
  List<String> warnings(String source) {
    List<String> warnings = new ArrayList<>();
    counts.forEach(
        (id, count) -> {
          if (unknown.equals(OptionalLong.of(id))) {
            if (count > MOST_UNKNOWN * all) {
              warnings.add(
                  warning(source, count)
                      + "unknown to the tokenizer: expected the model's own, and text as it was"
                      + " made for");
            }
          } else if (count > 1 && count > MOST_OF_ONE * all) {
            warnings.add(
                warning(source, count)
                    + "token %d over and over: expected data like what the model is used on"
                        .formatted(id));
          }
        });
    return warnings;
  }

  private String warning(String source, long count) {
    return "WARNING: %s: %,d of %,d tokens (%.1f%%) are "
        .formatted(source, count, all, 100.0 * count / all);
  }
}
