package io.moneonnx;

import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Value;
import java.util.ArrayList;
import java.util.List;

/** Parts of graphs, in the spelling that patterns are written for. */
public final class CanonicalText {
  private CanonicalText() {}

  /** The canonical graph; values that nothing reads are outputs beside those that are declared. */
  public static Graph parse(String text) {
    Graph graph = GraphText.parse(text);
    List<Value> outputs = new ArrayList<>();
    for (String value : graph.made()) {
      boolean isMade = graph.producer(value).isPresent();
      if (isMade && (graph.isOutput(value) || graph.consumers(value).isEmpty())) {
        outputs.add(Value.undeclared(value));
      }
    }
    return Canonical.of(graph.withOutputs(outputs)).graph();
  }
}
