package io.moneonnx.jinja;

/**
 * What the filter {@code safe} gives: jinja2 escapes what is added to it, so it is printed only.
 */
record Markup(String text) {}
