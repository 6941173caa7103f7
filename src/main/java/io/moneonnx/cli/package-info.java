/** The command line: parse, call, print. */
package io.moneonnx.cli;
