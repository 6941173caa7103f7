/**
 * The part of the Jinja template language that chat templates use, rendered as Python's jinja2 does
 * with {@code trim_blocks} and {@code lstrip_blocks}; the rest is refused by name.
 */
package io.moneonnx.jinja;
