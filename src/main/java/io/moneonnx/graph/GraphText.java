package io.moneonnx.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Graphs in ONNX's text syntax, for people: messages, documentation and tests.
 *
 * <pre>{@code
 * block (float[T, 4] x) => (float[T, 4] y)
 * <int64[1] k = {2}, float[4, 8] router>
 * {
 *   scores = MatMul (x, router)
 *   best, experts = TopK <axis = -1> (scores, k)
 *   ...
 * }
 * }</pre>
 *
 * An initializer without values is filled with random numbers that depend on its name only.
 */
public final class GraphText {
  private static final int SHOWN_ELEMENTS = 8;
  private static final Pattern TOKEN =
      Pattern.compile(
          "\\s*(?://[^\\n]*\\n\\s*)*(=>|\"[^\"]*\"|-?inf\\b|-?\\d+\\.?\\d*(?:[eE][-+]?\\d+)?|[\\w./:]+|[-(){}<>\\[\\],=?])");

  private final List<String> tokens;
  private int at;

  private GraphText(String text) {
    tokens = new ArrayList<>();
    Matcher matcher = TOKEN.matcher(text + "\n");
    int end = 0;
    while (matcher.find(end) && matcher.start() == end) {
      tokens.add(matcher.group(1));
      end = matcher.end();
    }
    if (!text.substring(Math.min(end, text.length())).isBlank()) {
      throw new IllegalArgumentException("graph text: cannot read '" + text.substring(end) + "'");
    }
  }

  /** Reads one graph; throws {@link IllegalArgumentException} that says what was wanted. */
  public static Graph parse(String text) {
    GraphText parser = new GraphText(text);
    Graph graph = parser.graph();
    if (parser.at < parser.tokens.size()) {
      throw new IllegalArgumentException(
          "graph text: unexpected text after the graph: " + parser.peek());
    }
    return graph;
  }

  private Graph graph() {
    String name = next();
    List<Value> inputs = values("(", ")");
    expect("=>");
    List<Value> outputs = values("(", ")");
    Map<String, Initializer> initializers = new LinkedHashMap<>();
    if (accept("<")) {
      while (!accept(">")) {
        Value declared = value();
        Tensor tensor = accept("=") ? literal(declared) : random(declared);
        initializers.put(declared.name(), Initializer.of(declared.name(), tensor));
        accept(",");
      }
    }
    expect("{");
    List<Node> nodes = new ArrayList<>();
    while (!accept("}")) {
      nodes.add(node());
    }
    return new Graph(name, nodes, initializers, inputs, outputs, Map.of(), UnknownFields.NONE);
  }

  private Node node() {
    List<String> outputs = new ArrayList<>(List.of(valueName()));
    while (accept(",")) {
      outputs.add(valueName());
    }
    expect("=");
    String operator = next();
    int dot = operator.lastIndexOf('.');
    Map<String, Attribute> attributes = new LinkedHashMap<>();
    if (accept("<")) {
      while (!accept(">")) {
        String key = next();
        expect("=");
        attributes.put(key, attribute());
        accept(",");
      }
    }
    expect("(");
    List<String> inputs = new ArrayList<>();
    while (!accept(")")) {
      inputs.add(peek().equals(",") ? "" : valueName());
      accept(",");
    }
    return new Node(
        operator.substring(dot + 1),
        dot < 0 ? "" : operator.substring(0, dot),
        "",
        inputs,
        outputs,
        attributes,
        UnknownFields.NONE);
  }

  /** A name, or {@code ""} for what is left out. */
  private String valueName() {
    return next().replace("\"", "");
  }

  private Attribute attribute() {
    if (accept("[")) {
      List<String> items = new ArrayList<>();
      while (!accept("]")) {
        items.add(next());
        accept(",");
      }
      return items.stream().allMatch(GraphText::isInteger)
          ? new Attribute.OfInts(items.stream().map(Long::valueOf).toList())
          : new Attribute.OfFloats(items.stream().map(Float::valueOf).toList());
    }
    String item = next();
    if (item.startsWith("\"")) {
      return new Attribute.OfText(item.replace("\"", ""));
    } else if (isInteger(item)) {
      return new Attribute.OfInt(Long.parseLong(item));
    } else if (!isNumber(item) && peek().equals("(")) {
      at--;
      return new Attribute.OfGraph(graph());
    } else if (!isNumber(item)) {
      at--;
      Value declared = value();
      return new Attribute.OfTensor(literal(declared));
    }
    return new Attribute.OfFloat(number(item));
  }

  private List<Value> values(String open, String close) {
    expect(open);
    List<Value> values = new ArrayList<>();
    while (!accept(close)) {
      values.add(value());
      accept(",");
    }
    return values;
  }

  /** {@code float[T, 4] x}, {@code float x} (a scalar), or {@code float[...] x} of unknown rank. */
  private Value value() {
    ElementType type = ElementType.valueOf(next().toUpperCase(Locale.ROOT));
    List<Dimension> shape = new ArrayList<>();
    boolean ranked = true;
    if (accept("[")) {
      while (!accept("]")) {
        String item = next();
        if (item.equals("...")) {
          ranked = false;
        } else {
          shape.add(isInteger(item) ? Dimension.of(Long.parseLong(item)) : Dimension.of(item));
        }
        accept(",");
      }
    }
    String name = peek().matches("[=,{]") ? "" : next();
    return ranked
        ? Value.of(name, type, shape.toArray(Dimension[]::new))
        : Value.untyped(name, type);
  }

  private Tensor literal(Value declared) {
    List<String> items = new ArrayList<>();
    expect("{");
    while (!accept("}")) {
      items.add(next());
      accept(",");
    }
    List<Long> dims = dims(declared);
    if (declared.type().orElseThrow() == ElementType.FLOAT) {
      float[] values = new float[items.size()];
      for (int i = 0; i < values.length; i++) {
        values[i] = number(items.get(i));
      }
      return Tensor.of(dims, values);
    } else if (declared.type().orElseThrow() == ElementType.INT64) {
      return Tensor.of(dims, items.stream().mapToLong(Long::parseLong).toArray());
    }
    throw new IllegalArgumentException(
        "graph text: values are read for float and int64, not for " + declared.type());
  }

  private static Tensor random(Value declared) {
    List<Long> dims = dims(declared);
    float[] values = new float[Math.toIntExact(Tensor.elements(dims))];
    Random random = new Random(declared.name().hashCode());
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian() * 0.5f;
    }
    return Tensor.of(dims, values);
  }

  private static List<Long> dims(Value declared) {
    return declared.shape().orElseThrow().stream().map(Dimension::size).toList();
  }

  private static boolean isInteger(String token) {
    return token.matches("-?\\d+");
  }

  private static boolean isNumber(String token) {
    return token.matches("-?inf|-?\\d.*");
  }

  private static float number(String token) {
    return switch (token) {
      case "inf" -> Float.POSITIVE_INFINITY;
      case "-inf" -> Float.NEGATIVE_INFINITY;
      default -> Float.parseFloat(token);
    };
  }

  private String peek() {
    return at < tokens.size() ? tokens.get(at) : "the end";
  }

  private String next() {
    String token = peek();
    at++;
    return token;
  }

  private boolean accept(String token) {
    if (!peek().equals(token)) {
      return false;
    }
    at++;
    return true;
  }

  private void expect(String token) {
    if (!accept(token)) {
      throw new IllegalArgumentException(
          "graph text: expected '%s', found '%s' after '%s'"
              .formatted(
                  token,
                  peek(),
                  String.join(
                      " ", tokens.subList(Math.max(0, at - 6), Math.min(at, tokens.size())))));
    }
  }

  /** The whole graph; tensors of more than a few elements are shown without their values. */
  public static String print(Graph graph) {
    StringBuilder text = new StringBuilder();
    text.append(graph.name().isEmpty() ? "graph" : graph.name());
    text.append(list(graph.inputs(), GraphText::print)).append(" =>");
    text.append(list(graph.outputs(), GraphText::print));
    if (!graph.initializers().isEmpty()) {
      text.append("\n<")
          .append(
              graph.initializers().values().stream()
                  .map(GraphText::print)
                  .collect(Collectors.joining(",\n ")))
          .append(">");
    }
    text.append("\n{\n");
    graph.nodes().forEach(node -> text.append("  ").append(print(node)).append('\n'));
    return text.append("}\n").toString();
  }

  /** One node on one line. */
  public static String print(Node node) {
    String attributes =
        node.attributes().isEmpty()
            ? ""
            : node.attributes().entrySet().stream()
                .map(entry -> entry.getKey() + " = " + print(entry.getValue()))
                .collect(Collectors.joining(", ", " <", ">"));
    return "%s = %s%s (%s)"
        .formatted(
            node.outputs().stream()
                .map(output -> output.isEmpty() ? "\"\"" : output)
                .collect(Collectors.joining(", ")),
            node.domain().isEmpty() ? node.opType() : node.domain() + "." + node.opType(),
            attributes,
            String.join(", ", node.inputs()));
  }

  private static <T> String list(List<T> items, Function<T, String> print) {
    return items.stream().map(print).collect(Collectors.joining(", ", " (", ")"));
  }

  private static String print(Value value) {
    String type = value.type().map(ElementType::text).orElse("opaque");
    String shape = value.shape().map(s -> s.isEmpty() ? "" : s.toString()).orElse("[...]");
    return type + shape + " " + value.name();
  }

  private static String print(Initializer initializer) {
    Tensor tensor = initializer.tensor();
    String head = tensor.type().text() + (tensor.rank() == 0 ? "" : tensor.dims()) + " ";
    String values = elements(tensor);
    return head + initializer.name() + (values.isEmpty() ? "" : " = " + values);
  }

  private static String elements(Tensor tensor) {
    if (tensor.elements() > SHOWN_ELEMENTS) {
      return "";
    }
    String values =
        switch (tensor.type()) {
          case FLOAT -> Arrays.toString(tensor.toFloats());
          case INT64, INT32, BOOL -> Arrays.toString(tensor.toLongs());
          default -> "";
        };
    return values.isEmpty()
        ? ""
        : values.replace("Infinity", "inf").replace('[', '{').replace(']', '}');
  }

  private static String print(Attribute attribute) {
    if (attribute instanceof Attribute.OfInt number) {
      return Long.toString(number.value());
    } else if (attribute instanceof Attribute.OfFloat number) {
      return Float.toString(number.value());
    } else if (attribute instanceof Attribute.OfText string) {
      return '"' + string.value() + '"';
    } else if (attribute instanceof Attribute.OfInts numbers) {
      return numbers.values().toString();
    } else if (attribute instanceof Attribute.OfFloats numbers) {
      return numbers.values().toString();
    } else if (attribute instanceof Attribute.OfTexts strings) {
      return strings.values().toString();
    } else if (attribute instanceof Attribute.OfTensor tensor) {
      return tensor.value().type().text()
          + (tensor.value().rank() == 0 ? "" : tensor.value().dims())
          + " "
          + elements(tensor.value());
    } else if (attribute instanceof Attribute.OfGraph graph) {
      return print(graph.value()).strip().replace("\n", "\n    ");
    }
    return "opaque";
  }
}
