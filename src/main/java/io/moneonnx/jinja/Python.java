package io.moneonnx.jinja;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * What operators and attributes do with Python's values: texts, {@link Long}, {@link Double},
 * {@link Boolean}, {@link None}, lists, maps by text, and what a template makes of them. Where
 * Python raises, so does this; what would need more of Python is refused.
 */
final class Python {
  private static final Set<String> OTHER_DICT_METHODS =
      Set.of("clear", "copy", "fromkeys", "pop", "popitem", "setdefault", "update");
  private static final Set<String> LIST_METHODS =
      Set.of(
          "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove",
          "reverse", "sort");

  private Python() {}

  /** A value from outside. */
  static Object of(Object value) {
    if (value == null) {
      return None.NONE;
    } else if (value instanceof Integer number) {
      return number.longValue();
    } else if (value instanceof List<?> list) {
      return list.stream().map(Python::of).toList();
    } else if (value instanceof Map<?, ?> map) {
      Map<String, Object> copy = new LinkedHashMap<>();
      map.forEach((key, item) -> copy.put((String) key, of(item)));
      return copy;
    }
    return value;
  }

  /** For messages. */
  static String kind(Object value) {
    if (value instanceof Undefined undefined) {
      return "undefined (%s)".formatted(undefined.why());
    } else if (value instanceof String) {
      return "a text";
    } else if (value instanceof Number) {
      return "a number";
    } else if (value instanceof Items items) {
      return "a " + items.kind().name().toLowerCase(Locale.ROOT);
    } else if (value instanceof Callable) {
      return "a function";
    } else if (value instanceof List) {
      return "a list";
    } else if (value instanceof Map) {
      return "a dict";
    }
    return value instanceof None || value instanceof Boolean
        ? PythonText.repr(value)
        : "a " + value.getClass().getSimpleName().toLowerCase(Locale.ROOT);
  }

  static boolean isTrue(Object value) {
    if (value instanceof Boolean isTrue) {
      return isTrue;
    } else if (value instanceof String text) {
      return !text.isEmpty();
    } else if (value instanceof Markup markup) {
      return !markup.text().isEmpty();
    } else if (value instanceof Long number) {
      return number != 0;
    } else if (value instanceof Double number) {
      return number != 0;
    } else if (value instanceof Collection<?> list) {
      return !list.isEmpty();
    } else if (value instanceof Map<?, ?> map) {
      return !map.isEmpty();
    } else if (value instanceof Items items) {
      return items.kind() == Items.Kind.GENERATOR || !items.values().isEmpty();
    }
    return value != None.NONE && !(value instanceof Undefined);
  }

  /** The items of a loop over it. */
  static List<Object> items(Object value) {
    if (value instanceof List<?> list) {
      return List.copyOf(list);
    } else if (value instanceof Items items) {
      return items.values();
    } else if (value instanceof Map<?, ?> map) {
      return List.copyOf(map.keySet());
    } else if (value instanceof String text) {
      return text.codePoints().<Object>mapToObj(Character::toString).toList();
    } else if (value instanceof Undefined) {
      return List.of();
    }
    throw new TemplateException("%s has no items".formatted(kind(value)));
  }

  static long length(Object value) {
    if ((value instanceof Items items && items.kind() == Items.Kind.GENERATOR)
        || !hasItems(value)) {
      throw new TemplateException("%s has no length".formatted(kind(value)));
    }
    return items(value).size();
  }

  static boolean hasItems(Object value) {
    return value instanceof List
        || value instanceof Items
        || value instanceof Map
        || value instanceof String
        || value instanceof Undefined;
  }

  static boolean areEqual(Object left, Object right) {
    if (left instanceof Markup || right instanceof Markup) {
      throw new TemplateException("what 'safe' gives is not compared");
    } else if (isNumber(left) && isNumber(right)) {
      return exact(left).compareTo(exact(right)) == 0;
    } else if (left instanceof List<?> one && right instanceof List<?> other) {
      return areEqual(one, other);
    } else if (left instanceof Items one && right instanceof Items other) {
      if (one.kind() != Items.Kind.TUPLE || other.kind() != Items.Kind.TUPLE) {
        throw new TemplateException("%s is not compared".formatted(kind(one)));
      }
      return areEqual(one.values(), other.values());
    } else if (left instanceof Map<?, ?> one && right instanceof Map<?, ?> other) {
      return one.keySet().equals(other.keySet())
          && one.keySet().stream().allMatch(key -> areEqual(one.get(key), other.get(key)));
    } else if (left instanceof Undefined) {
      return right instanceof Undefined;
    }
    return left.equals(right);
  }

  private static boolean areEqual(List<?> one, List<?> other) {
    for (int i = 0; i < Math.min(one.size(), other.size()); i++) {
      if (!areEqual(one.get(i), other.get(i))) {
        return false;
      }
    }
    return one.size() == other.size();
  }

  private static boolean isNumber(Object value) {
    return value instanceof Number || value instanceof Boolean;
  }

  private static BigDecimal exact(Object number) {
    if (number instanceof Boolean isTrue) {
      return isTrue ? BigDecimal.ONE : BigDecimal.ZERO;
    }
    return number instanceof Long whole
        ? BigDecimal.valueOf(whole)
        : new BigDecimal((Double) number);
  }

  static int compare(Object left, Object right) {
    if (isNumber(left) && isNumber(right)) {
      return exact(left).compareTo(exact(right));
    } else if (left instanceof String one && right instanceof String other) {
      return compare(one, other);
    }
    throw new TemplateException("%s and %s have no order".formatted(kind(left), kind(right)));
  }

  /** By code points. */
  static int compare(String one, String other) {
    int[] left = one.codePoints().toArray();
    int[] right = other.codePoints().toArray();
    return Arrays.compare(left, right);
  }

  static boolean contains(Object all, Object value) {
    if (all instanceof String text) {
      if (value instanceof String part) {
        return text.contains(part);
      }
    } else if (all instanceof Map<?, ?> map) {
      return value instanceof String && map.containsKey(value);
    } else if (hasItems(all)) {
      return items(all).stream().anyMatch(item -> areEqual(item, value));
    }
    throw new TemplateException("%s in %s".formatted(kind(value), kind(all)));
  }

  static Object calculate(String operator, Object left, Object right) {
    if (operator.equals("+") && left instanceof String one && right instanceof String other) {
      return one + other;
    } else if (operator.equals("+")
        && left instanceof List<?> one
        && right instanceof List<?> two) {
      List<Object> both = new ArrayList<>(one);
      both.addAll(two);
      return both;
    } else if (left instanceof Long one && right instanceof Long other) {
      return calculate(operator, (long) one, (long) other);
    }
    throw new TemplateException(
        "%s %s %s is not supported".formatted(kind(left), operator, kind(right)));
  }

  private static Object calculate(String operator, long left, long right) {
    try {
      return switch (operator) {
        case "+" -> Math.addExact(left, right);
        case "-" -> Math.subtractExact(left, right);
        case "*" -> Math.multiplyExact(left, right);
        case "//" -> Math.floorDiv(left, right);
        case "%" -> Math.floorMod(left, right);
        default ->
            throw new TemplateException("the operator %s is not supported".formatted(operator));
      };
    } catch (ArithmeticException e) {
      throw new TemplateException("%d %s %d has no value".formatted(left, operator, right));
    }
  }

  /** {@code value.name} of a template. */
  static Object attribute(Object value, String name) {
    if (name.startsWith("_")) {
      throw new TemplateException("the attribute '%s' is not supported".formatted(name));
    } else if (value instanceof Undefined undefined) {
      throw new TemplateException("%s, so it has no '%s'".formatted(undefined.why(), name));
    } else if (value instanceof Namespace namespace) {
      return namespace.get(name);
    } else if (value instanceof Loop loop) {
      return loop.get(name);
    } else if (value instanceof Map<?, ?> map) {
      Object method = dictMethod(map, name);
      return method != null ? method : dictItem(map, name);
    } else if (value instanceof String text) {
      return TextMethods.isMethod(name) ? TextMethods.of(text, name) : missing(value, name);
    } else if ((value instanceof List && !LIST_METHODS.contains(name)) || value == None.NONE) {
      return missing(value, name);
    }
    throw new TemplateException("'%s' of %s is not supported".formatted(name, kind(value)));
  }

  private static Undefined missing(Object value, Object name) {
    return new Undefined("%s has no '%s'".formatted(kind(value), name));
  }

  private static Object dictItem(Map<?, ?> map, Object key) {
    Object item = map.get(key);
    return item != null ? item : missing(map, key);
  }

  private static Object dictMethod(Map<?, ?> map, String name) {
    Callable method =
        switch (name) {
          case "get" -> arguments -> get(map, arguments);
          case "items" -> arguments -> view(entries(map), name, arguments);
          case "keys" -> arguments -> view(List.copyOf(map.keySet()), name, arguments);
          case "values" -> arguments -> view(List.copyOf(map.values()), name, arguments);
          default -> null;
        };
    if (OTHER_DICT_METHODS.contains(name)) {
      throw new TemplateException("the method '%s' of a dict is not supported".formatted(name));
    }
    return method;
  }

  /** Pairs of a key and its value. */
  static List<Items> entries(Map<?, ?> map) {
    return map.entrySet().stream()
        .map(entry -> Items.tuple(entry.getKey(), entry.getValue()))
        .toList();
  }

  private static Object view(List<?> values, String name, Arguments arguments) {
    arguments.bind(name, List.of());
    return new Items(Items.Kind.VIEW, values);
  }

  private static Object get(Map<?, ?> map, Arguments arguments) {
    Map<String, Object> given = arguments.bind("get", List.of("key", "default"));
    Object item = given.get("key") instanceof String key ? map.get(key) : null;
    return item != null ? item : given.getOrDefault("default", None.NONE);
  }

  /** {@code value[key]} of a template. */
  static Object item(Object value, Object key) {
    if (value instanceof Map<?, ?> map) {
      Object item = map.get(key);
      return item == null && key instanceof String name ? attribute(map, name) : dictItem(map, key);
    } else if (key instanceof String name) {
      return attribute(value, name);
    } else if (key instanceof Long index
        && (value instanceof String || value instanceof List || isTuple(value))) {
      List<Object> items = items(value);
      long at = index < 0 ? index + items.size() : index;
      return at >= 0 && at < items.size() ? items.get((int) at) : missing(value, key);
    } else if (value instanceof Undefined undefined) {
      throw new TemplateException("%s, so it has no items".formatted(undefined.why()));
    }
    throw new TemplateException("%s[%s] is not supported".formatted(kind(value), kind(key)));
  }

  private static boolean isTuple(Object value) {
    return value instanceof Items items && items.kind() == Items.Kind.TUPLE;
  }

  /** {@code value[from:to:step]}; each is an integer or none. */
  static Object slice(Object value, Object from, Object to, Object step) {
    if (!(value instanceof String || value instanceof List)) {
      throw new TemplateException("a slice of %s is not supported".formatted(kind(value)));
    }
    List<Object> items = items(value);
    long by = step == None.NONE ? 1 : whole(step);
    if (by == 0) {
      throw new TemplateException("the step of a slice is 0");
    }
    long low = by > 0 ? 0 : -1;
    long high = by > 0 ? items.size() : items.size() - 1L;
    long at =
        from == None.NONE ? (by > 0 ? low : high) : bound(whole(from), items.size(), low, high);
    long end = to == None.NONE ? (by > 0 ? high : low) : bound(whole(to), items.size(), low, high);
    List<Object> slice = new ArrayList<>();
    for (; by > 0 ? at < end : at > end; at += by) {
      slice.add(items.get((int) at));
    }
    return value instanceof String ? String.join("", slice.toArray(String[]::new)) : slice;
  }

  private static long bound(long index, int size, long low, long high) {
    long at = index < 0 ? index + size : index;
    return Math.max(low, Math.min(high, at));
  }

  private static long whole(Object value) {
    if (value instanceof Long number && Math.abs(number) < Integer.MAX_VALUE) {
      return number;
    }
    throw new TemplateException("%s: expected an integer".formatted(kind(value)));
  }
}
