package io.moneonnx.canonical;

import io.moneonnx.graph.Node;
import java.util.Optional;
import java.util.Set;

/**
 * One spelling that is brought to another. A rule changes neither what a graph computes nor the
 * names of the values that it is about; so what is found in the canonical graph can be told in the
 * exporter's own words, and a node that no edit has touched is written as the exporter wrote it.
 *
 * <p>Nodes come in topological order, and what a node reads is canonical already. What a rule puts
 * in a node's place is shown to all rules again.
 */
interface Rule {
  /** The operators, of ONNX's own domain, whose nodes the rule wants to see. */
  Set<String> operators();

  /** What stands in place of {@code node}; empty where the rule does not apply. */
  Optional<Respelled> apply(Node node, RuleContext context);
}
