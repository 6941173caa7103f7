package io.moneonnx.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The methods of Python's texts. */
final class TextMethods {
  private static final Set<String> SUPPORTED =
      Set.of(
          "strip",
          "lstrip",
          "rstrip",
          "split",
          "rsplit",
          "startswith",
          "endswith",
          "upper",
          "lower",
          "capitalize",
          "replace",
          "join",
          "removeprefix",
          "removesuffix");
  private static final Set<String> OTHERS =
      Set.of(
          "casefold",
          "center",
          "count",
          "encode",
          "expandtabs",
          "find",
          "format",
          "format_map",
          "index",
          "isalnum",
          "isalpha",
          "isascii",
          "isdecimal",
          "isdigit",
          "isidentifier",
          "islower",
          "isnumeric",
          "isprintable",
          "isspace",
          "istitle",
          "isupper",
          "ljust",
          "maketrans",
          "partition",
          "rfind",
          "rindex",
          "rjust",
          "rpartition",
          "splitlines",
          "swapcase",
          "title",
          "translate",
          "zfill");

  private TextMethods() {}

  /** True of what Python has, supported or not. */
  static boolean isMethod(String name) {
    return SUPPORTED.contains(name) || OTHERS.contains(name);
  }

  static Callable of(String text, String name) {
    return switch (name) {
      case "strip" -> arguments -> strip(text, chars(name, arguments), true, true);
      case "lstrip" -> arguments -> strip(text, chars(name, arguments), true, false);
      case "rstrip" -> arguments -> strip(text, chars(name, arguments), false, true);
      case "split" -> arguments -> split(text, arguments, true);
      case "rsplit" -> arguments -> split(text, arguments, false);
      case "startswith" ->
          arguments -> prefixes(name, arguments).stream().anyMatch(text::startsWith);
      case "endswith" -> arguments -> prefixes(name, arguments).stream().anyMatch(text::endsWith);
      case "upper" -> arguments -> upper(text, nothing(name, arguments));
      case "lower" -> arguments -> lower(text, nothing(name, arguments));
      case "capitalize" -> arguments -> capitalize(text, nothing(name, arguments));
      case "replace" -> arguments -> replace(text, arguments);
      case "join" -> arguments -> join(text, arguments);
      case "removeprefix" -> arguments -> removePrefix(text, one(name, arguments));
      case "removesuffix" -> arguments -> removeSuffix(text, one(name, arguments));
      default ->
          throw new TemplateException("the method '%s' of a text is not supported".formatted(name));
    };
  }

  private static Arguments nothing(String name, Arguments arguments) {
    arguments.bind(name, List.of());
    return arguments;
  }

  private static String chars(String name, Arguments arguments) {
    return arguments.texts(name, List.of("chars")).get("chars");
  }

  private static String one(String name, Arguments arguments) {
    String text = arguments.texts(name, List.of("text")).get("text");
    if (text == null) {
      throw new TemplateException("%s: expected a text".formatted(name));
    }
    return text;
  }

  /** Without these signs at its ends, or without white space where {@code chars} is null. */
  static String strip(String text, String chars, boolean atStart, boolean atEnd) {
    if (chars == null) {
      String start = atStart ? PythonText.stripStart(text) : text;
      return atEnd ? PythonText.stripEnd(start) : start;
    }
    int start = 0;
    int end = text.length();
    while (atStart && start < end && chars.indexOf(text.codePointAt(start)) >= 0) {
      start += Character.charCount(text.codePointAt(start));
    }
    while (atEnd && start < end && chars.indexOf(text.codePointBefore(end)) >= 0) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(start, end);
  }

  private static Object split(String text, Arguments arguments, boolean isFromLeft) {
    Map<String, Object> given = arguments.bind("split", List.of("sep", "maxsplit"));
    if (!(given.get("sep") instanceof String sep) || sep.isEmpty()) {
      throw new TemplateException("split: expected a text to split at");
    }
    if (!(given.getOrDefault("maxsplit", -1L) instanceof Long most)) {
      throw new TemplateException("split: expected an integer as maxsplit");
    }
    List<Object> parts = new ArrayList<>();
    String rest = text;
    for (long left = most; left != 0; left--) {
      int at = isFromLeft ? rest.indexOf(sep) : rest.lastIndexOf(sep);
      if (at < 0) {
        break;
      }
      String behind = rest.substring(at + sep.length());
      parts.add(isFromLeft ? parts.size() : 0, isFromLeft ? rest.substring(0, at) : behind);
      rest = isFromLeft ? behind : rest.substring(0, at);
    }
    parts.add(isFromLeft ? parts.size() : 0, rest);
    return parts;
  }

  private static List<String> prefixes(String name, Arguments arguments) {
    Object given = arguments.bind(name, List.of("prefix")).get("prefix");
    List<?> all =
        given instanceof Items tuple ? tuple.values() : given == null ? List.of() : List.of(given);
    if (all.isEmpty() || !all.stream().allMatch(String.class::isInstance)) {
      throw new TemplateException("%s: expected a text, or a tuple of texts".formatted(name));
    }
    return all.stream().map(String.class::cast).toList();
  }

  static String upper(String text, Arguments none) {
    nothing("upper", none);
    return text.toUpperCase(Locale.ROOT);
  }

  static String lower(String text, Arguments none) {
    nothing("lower", none);
    return text.toLowerCase(Locale.ROOT);
  }

  static String capitalize(String text, Arguments none) {
    nothing("capitalize", none);
    if (text.isEmpty()) {
      return text;
    }
    String first = text.substring(0, text.offsetByCodePoints(0, 1));
    if (first.charAt(0) > 0x7f) {
      throw new TemplateException("capitalize: '%s' is not supported".formatted(first));
    }
    return first.toUpperCase(Locale.ROOT) + text.substring(first.length()).toLowerCase(Locale.ROOT);
  }

  static String replace(String text, Arguments arguments) {
    Map<String, String> given = arguments.texts("replace", List.of("old", "new"));
    if (given.size() != 2 || given.get("old").isEmpty()) {
      throw new TemplateException("replace: expected two texts, the first not empty");
    }
    return text.replace(given.get("old"), given.get("new"));
  }

  private static String join(String text, Arguments arguments) {
    Object given = arguments.bind("join", List.of("items")).get("items");
    List<Object> items = given == null ? List.of() : Python.items(given);
    if (given == null || !items.stream().allMatch(String.class::isInstance)) {
      throw new TemplateException("join: expected texts");
    }
    return String.join(text, items.toArray(String[]::new));
  }

  private static String removePrefix(String text, String prefix) {
    return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
  }

  private static String removeSuffix(String text, String suffix) {
    return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
  }
}
