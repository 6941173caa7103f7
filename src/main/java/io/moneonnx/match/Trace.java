package io.moneonnx.match;

import io.moneonnx.match.Pattern.Statement;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Remembers the deepest failure of a search, of several the first. */
final class Trace {
  private MatchFailure deepest;

  /** Takes note and answers "no match"; most failures are not deep, so nothing is told of them. */
  Stream<Bindings> fail(
      Bindings bound,
      Statement statement,
      String node,
      Supplier<String> found,
      Supplier<String> wanted) {
    if (deepest == null || bound.nodes() > deepest.depth()) {
      deepest =
          new MatchFailure(
              bound.pattern().name(),
              statement.text(),
              node,
              found.get(),
              wanted.get(),
              bound.nodes());
    }
    return Stream.empty();
  }

  Optional<MatchFailure> deepest() {
    return Optional.ofNullable(deepest);
  }
}
