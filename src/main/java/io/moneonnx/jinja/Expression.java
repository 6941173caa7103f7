package io.moneonnx.jinja;

/** What has a value. */
interface Expression {
  Object value(Scope scope);
}
