/**
 * Build time only: turns the files of passes/ into the types of io.moneonnx.passes, and keeps what
 * a build was made from.
 */
package io.moneonnx.passgen;
