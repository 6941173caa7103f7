/** Graphs as immutable data: models, nodes, values, tensors, and edits that make new ones. */
package io.moneonnx.graph;
