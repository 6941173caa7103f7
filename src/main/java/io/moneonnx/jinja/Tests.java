package io.moneonnx.jinja;

import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.function.Predicate;

/** What stands behind an {@code is}. */
final class Tests {
  private static final Map<String, BiPredicate<Object, List<Object>>> ALL =
      Map.ofEntries(
          alone("defined", value -> !(value instanceof Undefined)),
          alone("undefined", value -> value instanceof Undefined),
          alone("none", value -> value == None.NONE),
          alone("string", value -> value instanceof String || value instanceof Markup),
          alone("mapping", value -> value instanceof Map),
          alone("iterable", Python::hasItems),
          alone("sequence", Tests::isSequence),
          alone("boolean", value -> value instanceof Boolean),
          alone("true", value -> value.equals(true)),
          alone("false", value -> value.equals(false)),
          alone("number", value -> value instanceof Number || value instanceof Boolean),
          alone("integer", value -> value instanceof Long),
          alone("float", value -> value instanceof Double),
          alone("odd", value -> Python.calculate("%", value, 2L).equals(1L)),
          alone("even", value -> Python.calculate("%", value, 2L).equals(0L)),
          withOne("==", Python::areEqual),
          withOne("eq", Python::areEqual),
          withOne("equalto", Python::areEqual),
          withOne("!=", (value, other) -> !Python.areEqual(value, other)),
          withOne("ne", (value, other) -> !Python.areEqual(value, other)),
          withOne("in", (value, all) -> Python.contains(all, value)));

  private Tests() {}

  private static Map.Entry<String, BiPredicate<Object, List<Object>>> alone(
      String name, Predicate<Object> test) {
    return Map.entry(
        name,
        (value, given) -> {
          require(name, given, 0);
          return test.test(value);
        });
  }

  private static Map.Entry<String, BiPredicate<Object, List<Object>>> withOne(
      String name, BiPredicate<Object, Object> test) {
    return Map.entry(
        name,
        (value, given) -> {
          require(name, given, 1);
          return test.test(value, given.get(0));
        });
  }

  private static void require(String name, List<Object> given, int expected) {
    if (given.size() != expected) {
      throw new TemplateException(
          "the test '%s': found %d arguments, expected %d".formatted(name, given.size(), expected));
    }
  }

  private static boolean isSequence(Object value) {
    if (value instanceof Items items && items.kind() == Items.Kind.VIEW) {
      throw new TemplateException("the test 'sequence' of a view is not supported");
    }
    return Python.hasItems(value)
        && !(value instanceof Items items && items.kind() == Items.Kind.GENERATOR);
  }

  /** The test of a name. */
  static BiPredicate<Object, List<Object>> of(String name) {
    BiPredicate<Object, List<Object>> test = ALL.get(name);
    if (test == null) {
      throw new TemplateException("the test '%s' is not supported".formatted(name));
    }
    return test;
  }
}
