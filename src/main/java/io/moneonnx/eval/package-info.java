/** What pruning costs: next-token loss of plans that are tried without writing a model. */
package io.moneonnx.eval;
