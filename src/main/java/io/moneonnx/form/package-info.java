/** The ways in which exporters lay out a block, one class each. */
package io.moneonnx.form;
