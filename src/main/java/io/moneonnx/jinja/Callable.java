package io.moneonnx.jinja;

/** A macro, a method or a global function. */
interface Callable {
  Object call(Arguments arguments);
}
