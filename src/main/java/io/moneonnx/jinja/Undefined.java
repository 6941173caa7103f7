package io.moneonnx.jinja;

/**
 * The value of what there is not: nothing where it is printed, false, without items.
 *
 * @param why for messages, where it is used for more
 */
record Undefined(String why) {}
