/**
 * ONNX files: the only package that sees protobuf's ONNX classes. {@link io.moneonnx.io.OnnxReader}
 * describes weights without reading them, {@link io.moneonnx.io.OnnxWriter} moves them from file to
 * file, and what no other package looks at survives the way through.
 */
package io.moneonnx.io;
