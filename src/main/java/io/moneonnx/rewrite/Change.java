package io.moneonnx.rewrite;

import java.util.List;

/** What becomes of some experts of a block. */
public sealed interface Change permits Replacement, Removal {
  /** The ids of those that go, in order. */
  List<Integer> experts();

  /** True where every expert stays as it is. */
  default boolean isNothing() {
    return experts().isEmpty();
  }

  /** What is done to those that go, in a word. */
  String done();
}
