package io.moneonnx.graph;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An operator that a model brings along, composed of others. Nodes call it by domain, name and
 * overload.
 *
 * @param attributes names of the attributes that a call may give, without those that have a default
 * @param defaults what attributes are where a call does not give them
 * @param opsets the versions of the operator sets that its nodes are of
 */
public record Function(
    String domain,
    String name,
    String overload,
    List<String> inputs,
    List<String> outputs,
    List<String> attributes,
    Map<String, Attribute> defaults,
    List<Node> nodes,
    Map<String, Long> opsets,
    UnknownFields rest) {
  public Function {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    attributes = List.copyOf(attributes);
    defaults = Collections.unmodifiableMap(new LinkedHashMap<>(defaults));
    nodes = List.copyOf(nodes);
    opsets = Collections.unmodifiableMap(new LinkedHashMap<>(opsets));
  }

  /** True where {@code node} is a call of this function. */
  public boolean isCalledBy(Node node) {
    return node.opType().equals(name)
        && node.domain().equals(domain)
        && node.overload().equals(overload);
  }

  public Function withNodes(List<Node> changed) {
    return new Function(
        domain, name, overload, inputs, outputs, attributes, defaults, changed, opsets, rest);
  }

  /** How messages call it. */
  public String label() {
    return (domain.isEmpty() ? name : domain + "." + name)
        + (overload.isEmpty() ? "" : ":" + overload);
  }
}
