/** Runs graphs in ONNX Runtime: the only package that sees {@code ai.onnxruntime}. */
package io.moneonnx.run;
