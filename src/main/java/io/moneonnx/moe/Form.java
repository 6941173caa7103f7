package io.moneonnx.moe;

import io.moneonnx.graph.Graph;

/** One way in which exporters lay out a Mixture-of-Experts block. */
public interface Form {
  /** The name of this form in reports. */
  String name();

  /** Whether the block behind this routing decision is laid out in this form. */
  Recognition recognise(Graph graph, Routing routing);
}
