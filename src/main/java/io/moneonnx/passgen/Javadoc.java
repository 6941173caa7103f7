package io.moneonnx.passgen;

/** What the file of a pattern says, as a Javadoc comment. */
final class Javadoc {
  private Javadoc() {}

  static String of(PatternTree pattern) {
    return pattern.comment().replace("&", "&amp;").replace("<", "&lt;").replace("*/", "*&#47;")
        + "\n";
  }
}
