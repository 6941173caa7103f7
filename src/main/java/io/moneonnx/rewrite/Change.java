package io.moneonnx.rewrite;

import java.util.List;

/** What becomes of some experts of a block. */
public sealed interface Change permits Replacement, Removal {
  /** The ids of those that go, in order. */
  List<Integer> experts();

  /** The ids of those that lose neurons, in order. */
  default List<Integer> narrowed() {
    return List.of();
  }

  /** True where every expert stays as it is. */
  default boolean isNothing() {
    return experts().isEmpty();
  }

  /** What is done to those that go, in a word. */
  String done();

  /** What is done to how many, such as {@code 2 replaced}. */
  default String summary() {
    return experts().size() + " " + done();
  }
}
