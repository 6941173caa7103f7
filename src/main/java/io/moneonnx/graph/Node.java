package io.moneonnx.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * One operator applied to values. A node is known by its first output: names of nodes may be empty
 * or repeated, names of values may not.
 *
 * @param overload tells functions of one name apart; empty for all other operators
 */
public record Node(
    String opType,
    String domain,
    String overload,
    String name,
    List<String> inputs,
    List<String> outputs,
    Map<String, Attribute> attributes,
    UnknownFields rest) {

  public Node {
    domain = domain.equals("ai.onnx") ? "" : domain;
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    attributes =
        attributes.isEmpty()
            ? Map.of()
            : Collections.unmodifiableMap(new LinkedHashMap<>(attributes));
  }

  public Node(
      String opType,
      String domain,
      String name,
      List<String> inputs,
      List<String> outputs,
      Map<String, Attribute> attributes,
      UnknownFields rest) {
    this(opType, domain, "", name, inputs, outputs, attributes, rest);
  }

  public static Node of(
      String opType, List<String> inputs, List<String> outputs, Map<String, Attribute> attributes) {
    return new Node(opType, "", "", inputs, outputs, attributes, UnknownFields.NONE);
  }

  /** True for the operator of this name in ONNX's own domain. */
  public boolean is(String onnxOperator) {
    return domain.isEmpty() && opType.equals(onnxOperator);
  }

  /** Input {@code index}, or the empty name if it is left out. */
  public String input(int index) {
    return index < inputs.size() ? inputs.get(index) : "";
  }

  /** Input {@code index}, unless it is left out. */
  public Optional<String> given(int index) {
    return Optional.of(input(index)).filter(name -> !name.isEmpty());
  }

  /** The first output that is not left out. */
  public String output() {
    for (String output : outputs) {
      if (!output.isEmpty()) {
        return output;
      }
    }
    return "";
  }

  public Optional<Attribute> attribute(String attribute) {
    return Optional.ofNullable(attributes.get(attribute));
  }

  public long intAttribute(String attribute, long otherwise) {
    return attributes.get(attribute) instanceof Attribute.OfInt found ? found.value() : otherwise;
  }

  /**
   * The order in which a {@code Transpose} puts the axes of a value of this rank.
   *
   * @throws BadInputException if it is no order of so many axes
   */
  public List<Integer> permutation(int rank) {
    if (!(attributes.get("perm") instanceof Attribute.OfInts perm)) {
      return IntStream.range(0, rank).map(axis -> rank - 1 - axis).boxed().toList();
    }
    List<Long> axes = LongStream.range(0, rank).boxed().toList();
    if (!perm.values().stream().sorted().toList().equals(axes)) {
      throw new BadInputException(
          "node '%s': perm is %s, expected an order of %d axes"
              .formatted(label(), perm.values(), rank));
    }
    return perm.values().stream().map(Long::intValue).toList();
  }

  /**
   * The attribute {@code axis}, counted from the front of a value of this rank.
   *
   * @throws BadInputException if there is no such axis
   */
  public int axis(long otherwise, int rank) {
    long axis = intAttribute("axis", otherwise);
    if (axis < -rank || axis >= rank) {
      throw new BadInputException(
          "node '%s': axis is %d, expected one of %d axes".formatted(label(), axis, rank));
    }
    return (int) (axis < 0 ? axis + rank : axis);
  }

  public Node withInputs(List<String> changed) {
    return withValues(changed, outputs);
  }

  public Node withValues(List<String> changedInputs, List<String> changedOutputs) {
    return new Node(
        opType, domain, overload, name, changedInputs, changedOutputs, attributes, rest);
  }

  public Node withName(String changed) {
    return new Node(opType, domain, overload, changed, inputs, outputs, attributes, rest);
  }

  public Node withAttribute(String attribute, Attribute value) {
    Map<String, Attribute> changed = new LinkedHashMap<>(attributes);
    changed.put(attribute, value);
    return withAttributes(changed);
  }

  public Node withAttributes(Map<String, Attribute> changed) {
    return new Node(opType, domain, overload, name, inputs, outputs, changed, rest);
  }

  /** The node with every one of its subgraphs changed. */
  public Node withSubgraphs(UnaryOperator<Graph> change) {
    if (subgraphs().isEmpty()) {
      return this;
    }
    Map<String, Attribute> changed = new LinkedHashMap<>(attributes);
    changed.replaceAll(
        (key, attribute) ->
            attribute instanceof Attribute.OfGraph nested
                ? new Attribute.OfGraph(change.apply(nested.value()))
                : attribute);
    return withAttributes(changed);
  }

  /** Every outer value this node needs: its inputs and what its subgraphs capture. */
  public Set<String> reads() {
    Set<String> read = new LinkedHashSet<>(inputs);
    subgraphs().forEach(graph -> read.addAll(graph.captures()));
    read.remove("");
    return read;
  }

  /** Every tensor among the attributes, those of subgraphs included. */
  Stream<Tensor> tensors() {
    return attributes.values().stream()
        .flatMap(
            attribute ->
                attribute instanceof Attribute.OfTensor constant
                    ? Stream.of(constant.value())
                    : attribute instanceof Attribute.OfGraph nested
                        ? nested.value().tensors()
                        : Stream.of());
  }

  public List<Graph> subgraphs() {
    if (attributes.isEmpty()) {
      return List.of();
    }
    List<Graph> found = new ArrayList<>();
    for (Attribute attribute : attributes.values()) {
      if (attribute instanceof Attribute.OfGraph nested) {
        found.add(nested.value());
      }
    }
    return found;
  }

  /** How messages call this node: its name, or what it computes where it has none. */
  public String label() {
    return name.isEmpty() ? opType + " -> " + output() : name;
  }
}
