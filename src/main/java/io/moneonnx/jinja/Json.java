package io.moneonnx.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * JSON as Python's {@code json.dumps(value, ensure_ascii=False)} writes it.
 *
 * @param indent signs of a level; of null all is on one line
 */
record Json(String indent, boolean isSorted, String itemSeparator, String keySeparator) {
  /** The filter {@code tojson}, as transformers defines it. */
  static Object filter(Object value, Arguments given) {
    Map<String, Object> bound =
        given.bind("tojson", List.of("ensure_ascii", "indent", "separators", "sort_keys"));
    if (Python.isTrue(bound.getOrDefault("ensure_ascii", false))) {
      throw new TemplateException("tojson: ensure_ascii is not supported");
    }
    String indent = indent(bound.getOrDefault("indent", None.NONE));
    List<Object> separators =
        bound.getOrDefault("separators", None.NONE) == None.NONE
            ? List.of(indent == null ? ", " : ",", ": ")
            : Python.items(bound.get("separators"));
    if (separators.size() != 2 || !separators.stream().allMatch(String.class::isInstance)) {
      throw new TemplateException("tojson: expected two texts as separators");
    }
    boolean isSorted = Python.isTrue(bound.getOrDefault("sort_keys", false));
    return new Json(indent, isSorted, (String) separators.get(0), (String) separators.get(1))
        .text(value, "\n");
  }

  private static String indent(Object given) {
    if (given == None.NONE) {
      return null;
    } else if (given instanceof Long size && size >= 0 && size <= 100) {
      return " ".repeat(size.intValue());
    }
    throw new TemplateException("tojson: expected a number of signs as indent");
  }

  private String text(Object value, String newline) {
    if (value instanceof String text) {
      return quoted(text);
    } else if (value == None.NONE) {
      return "null";
    } else if (value instanceof Boolean || value instanceof Long) {
      return value.toString();
    } else if (value instanceof Double number) {
      return PythonText.decimal(number);
    } else if (value instanceof Map<?, ?> map) {
      List<Map.Entry<?, ?>> entries = new ArrayList<>(map.entrySet());
      if (isSorted) {
        entries.sort(
            (one, other) -> Python.compare((String) one.getKey(), (String) other.getKey()));
      }
      return list(
          "{}",
          entries.stream()
              .map(
                  entry ->
                      quoted((String) entry.getKey())
                          + keySeparator
                          + text(entry.getValue(), inner(newline)))
              .toList(),
          newline);
    } else if (value instanceof List<?> items) {
      return list("[]", items.stream().map(item -> text(item, inner(newline))).toList(), newline);
    } else if (value instanceof Items items && items.kind() == Items.Kind.TUPLE) {
      return text(items.values(), newline);
    }
    throw new TemplateException("tojson: %s has no JSON".formatted(Python.kind(value)));
  }

  private String inner(String newline) {
    return indent == null ? newline : newline + indent;
  }

  private String list(String braces, List<String> parts, String newline) {
    if (parts.isEmpty()) {
      return braces;
    }
    String before = indent == null ? "" : inner(newline);
    return braces.charAt(0)
        + before
        + String.join(itemSeparator + before, parts)
        + (indent == null ? "" : newline)
        + braces.charAt(1);
  }

  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char sign = text.charAt(i);
      int known = "\"\\\n\r\t\b\f".indexOf(sign);
      if (known >= 0) {
        quoted.append('\\').append("\"\\nrtbf".charAt(known));
      } else if (sign < ' ') {
        quoted.append("\\u%04x".formatted((int) sign));
      } else {
        quoted.append(sign);
      }
    }
    return quoted.append('"').toString();
  }
}
