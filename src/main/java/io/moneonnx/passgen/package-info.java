/** Build time only: turns the files of passes/ into the types of io.moneonnx.passes. */
package io.moneonnx.passgen;
