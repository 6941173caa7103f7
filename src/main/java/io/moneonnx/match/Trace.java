package io.moneonnx.match;

import io.moneonnx.match.Pattern.Statement;
import java.util.Optional;
import java.util.stream.Stream;

/** Remembers the deepest failure of a search, of several the first. */
final class Trace {
  private MatchFailure deepest;

  /** Takes note and answers "no match". */
  Stream<Bindings> fail(
      Bindings bound, Statement statement, String node, String found, String wanted) {
    if (deepest == null || bound.nodes() > deepest.depth()) {
      deepest =
          new MatchFailure(
              bound.pattern().name(), statement.text(), node, found, wanted, bound.nodes());
    }
    return Stream.empty();
  }

  Optional<MatchFailure> deepest() {
    return Optional.ofNullable(deepest);
  }
}
