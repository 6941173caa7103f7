package io.moneonnx.rewrite;

import java.util.List;

/** What becomes of some experts of a block. */
public sealed interface Change permits Replacement, Removal, Narrowing {
  /** The ids of those that it is about, in order. */
  List<Integer> experts();

  /** What is done to them, in a word. */
  String done();
}
