package io.moneonnx.jinja;

/** Python's {@code None}, JSON's {@code null}. */
enum None {
  NONE
}
