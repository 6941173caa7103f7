package io.moneonnx.moe;

import io.moneonnx.graph.Graph;

/** One way in which exporters lay out a Mixture-of-Experts block, looked for in one graph. */
public interface Form {
  /** The name of this form in reports. */
  String name();

  /** Whether the block behind this routing decision is laid out in this form. */
  Recognition recognise(Routing routing);

  /** Makes a form for a canonical graph; what all routing decisions share is searched once. */
  interface Factory {
    Form in(Graph graph);
  }
}
