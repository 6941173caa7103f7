package io.moneonnx.match;

/**
 * The farthest that a pattern came in a graph without matching.
 *
 * @param statement the statement that found no node, as the pattern writes it
 * @param node the node it failed at, as {@code Node.label} calls it, or the value it started from
 * @param depth how many nodes had been matched before
 */
public record MatchFailure(
    String pattern, String statement, String node, String found, String wanted, int depth) {
  /** One line for people. */
  public String message() {
    return "%s: %s: at '%s' found %s, expected %s"
        .formatted(pattern, statement, node, found, wanted);
  }
}
