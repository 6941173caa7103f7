/** Patterns of computation, and the one matcher that finds them in a graph. */
package io.moneonnx.match;
