package io.moneonnx.io;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.proto.onnx.AttributeProto;
import io.moneonnx.proto.onnx.NodeProto;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What operators take, as far as the program relies on it: the inputs that must be given, inputs
 * that are integers, and the types of attributes. A graph is held against it once, when it is read.
 * Operators that are not in {@code operators.tsv} may be anything.
 */
final class OperatorSchemas {
  private static final Map<String, Schema> SCHEMAS = read();

  private record Version(long since, List<Integer> required, List<Integer> integers) {}

  private record Schema(List<Version> versions, Map<String, Set<String>> attributes) {
    /** The inputs of a version of the operator set; of the first that has the operator at least. */
    Version at(long opset) {
      Version found = versions.get(0);
      for (Version version : versions) {
        if (version.since <= opset) {
          found = version;
        }
      }
      return found;
    }
  }

  private OperatorSchemas() {}

  private static Map<String, Schema> read() {
    Map<String, Schema> schemas = new HashMap<>();
    try (InputStream table = OperatorSchemas.class.getResourceAsStream("operators.tsv");
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(table, StandardCharsets.UTF_8))) {
      lines
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split("\t", -1))
          .forEach(cells -> schemas.put(key(cells[0], cells[1]), schema(cells)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return schemas;
  }

  private static Schema schema(String... cells) {
    List<Version> versions = new ArrayList<>();
    for (String version : cells[2].split(" ", -1)) {
      String[] parts = version.split(":", -1);
      versions.add(new Version(Long.parseLong(parts[0]), indices(parts[1]), indices(parts[2])));
    }
    Map<String, Set<String>> attributes = new HashMap<>();
    for (String attribute : cells.length > 3 ? cells[3].split(" ", -1) : new String[0]) {
      String[] parts = attribute.split(":", -1);
      attributes.put(parts[0], Set.of(parts[1].split("\\|", -1)));
    }
    return new Schema(List.copyOf(versions), attributes);
  }

  /** Such as {@code 0-2,5}, or {@code -} for none. */
  private static List<Integer> indices(String text) {
    List<Integer> indices = new ArrayList<>();
    for (String range : text.equals("-") ? List.<String>of() : Arrays.asList(text.split(","))) {
      String[] ends = range.split("-", -1);
      for (int i = Integer.parseInt(ends[0]); i <= Integer.parseInt(ends[ends.length - 1]); i++) {
        indices.add(i);
      }
    }
    return List.copyOf(indices);
  }

  private static String key(String domain, String operator) {
    return domain + ":" + operator;
  }

  /**
   * Holds a node against its operator.
   *
   * @param what names the node in messages
   * @param constant the type of a constant; empty for all other values
   * @throws BadInputException if it is called as no runtime calls it
   */
  static void check(
      NodeProto node,
      String what,
      Map<String, Long> opsets,
      Function<String, Optional<ElementType>> constant) {
    String domain = GraphReader.domain(node.getDomain());
    Schema schema = SCHEMAS.get(key(domain, node.getOpType()));
    if (schema == null) {
      return;
    }
    Version version = schema.at(opsets.getOrDefault(domain, 1L));
    for (int index : version.required) {
      if (index >= node.getInputCount() || node.getInput(index).isEmpty()) {
        throw new BadInputException(
            "%s: %s has no input %d, which it must have".formatted(what, node.getOpType(), index));
      }
    }
    for (int index : version.integers) {
      Optional<ElementType> type =
          index < node.getInputCount() ? constant.apply(node.getInput(index)) : Optional.empty();
      if (type.isPresent() && !isInteger(type.get())) {
        throw new BadInputException(
            "%s: input %d of %s is %s, expected integers"
                .formatted(what, index, node.getOpType(), type.get().text()));
      }
    }
    checkBodies(node, what);
    for (AttributeProto attribute : node.getAttributeList()) {
      Set<String> expected = schema.attributes.getOrDefault(attribute.getName(), Set.of());
      String found = type(attribute);
      if (!expected.isEmpty()
          && !expected.contains(found)
          && attribute.getRefAttrName().isEmpty()) {
        throw new BadInputException(
            "%s: attribute '%s' of %s is %s, expected %s"
                .formatted(
                    what,
                    attribute.getName(),
                    node.getOpType(),
                    found,
                    expected.stream().sorted().collect(Collectors.joining(" or "))));
      }
    }
  }

  /** Bodies take and make what their node takes and makes. */
  private static void checkBodies(NodeProto node, String what) {
    boolean isLoop = node.getOpType().equals("Loop");
    if (!isLoop && !node.getOpType().equals("If")) {
      return;
    }
    for (AttributeProto attribute : node.getAttributeList()) {
      int made = attribute.getG().getOutputCount() - (isLoop ? 1 : 0);
      if (attribute.hasG() && made != node.getOutputCount()) {
        throw new BadInputException(
            "%s: its %s makes %d values, expected %d"
                .formatted(what, attribute.getName(), made, node.getOutputCount()));
      }
      int taken = attribute.getG().getInputCount();
      if (attribute.hasG() && isLoop && taken != Math.max(2, node.getInputCount())) {
        throw new BadInputException(
            "%s: its %s takes %d values, expected %d"
                .formatted(what, attribute.getName(), taken, Math.max(2, node.getInputCount())));
      }
    }
  }

  private static boolean isInteger(ElementType type) {
    return type.text().matches("u?int\\d+");
  }

  private static String type(AttributeProto attribute) {
    return switch (attribute.getType()) {
      case SPARSE_TENSOR -> "sparse";
      case TYPE_PROTO -> "type";
      case UNDEFINED -> "of no type";
      default -> attribute.getType().name().toLowerCase(Locale.ROOT);
    };
  }
}
