package io.moneonnx.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Predicate;

/** What stands behind a {@code |}. */
final class Filters {
  private static final Map<String, BiFunction<Object, Arguments, Object>> ALL =
      Map.ofEntries(
          Map.entry("trim", Filters::trim),
          Map.entry("length", Filters::length),
          Map.entry("count", Filters::length),
          Map.entry("default", Filters::defaultValue),
          Map.entry("d", Filters::defaultValue),
          Map.entry("string", (value, none) -> alone("string", none, PythonText.of(value))),
          Map.entry("safe", (value, none) -> alone("safe", none, new Markup(PythonText.of(value)))),
          Map.entry("upper", (value, none) -> TextMethods.upper(text(value), none)),
          Map.entry("lower", (value, none) -> TextMethods.lower(text(value), none)),
          Map.entry("capitalize", (value, none) -> TextMethods.capitalize(text(value), none)),
          Map.entry("replace", (value, given) -> TextMethods.replace(text(value), given)),
          Map.entry("tojson", Json::filter),
          Map.entry("join", Filters::join),
          Map.entry("list", (value, none) -> alone("list", none, Python.items(value))),
          Map.entry("items", Filters::items),
          Map.entry("dictsort", Filters::dictsort),
          Map.entry("first", Filters::first),
          Map.entry("last", Filters::last),
          Map.entry("reverse", Filters::reverse),
          Map.entry("map", Filters::map),
          Map.entry("select", (value, given) -> chosen(value, given, false, true)),
          Map.entry("reject", (value, given) -> chosen(value, given, false, false)),
          Map.entry("selectattr", (value, given) -> chosen(value, given, true, true)),
          Map.entry("rejectattr", (value, given) -> chosen(value, given, true, false)));

  private Filters() {}

  /** The filter of a name. */
  static BiFunction<Object, Arguments, Object> of(String name) {
    BiFunction<Object, Arguments, Object> filter = ALL.get(name);
    if (filter == null) {
      throw new TemplateException("the filter '%s' is not supported".formatted(name));
    }
    return filter;
  }

  private static Object alone(String name, Arguments none, Object value) {
    none.bind(name, List.of());
    return value;
  }

  private static String text(Object value) {
    if (value instanceof Markup) {
      throw new TemplateException("what 'safe' gives is printed only");
    }
    return PythonText.of(value);
  }

  private static Object trim(Object value, Arguments given) {
    return TextMethods.strip(
        text(value), given.texts("trim", List.of("chars")).get("chars"), true, true);
  }

  private static Object length(Object value, Arguments none) {
    return alone("length", none, Python.length(value));
  }

  private static Object defaultValue(Object value, Arguments given) {
    Map<String, Object> bound = given.bind("default", List.of("default_value", "boolean"));
    boolean isForFalse = Python.isTrue(bound.getOrDefault("boolean", false));
    return value instanceof Undefined || (isForFalse && !Python.isTrue(value))
        ? bound.getOrDefault("default_value", "")
        : value;
  }

  private static Object join(Object value, Arguments given) {
    String between = given.texts("join", List.of("d")).getOrDefault("d", "");
    return String.join(
        between, Python.items(value).stream().map(Filters::text).toArray(String[]::new));
  }

  private static Object items(Object value, Arguments none) {
    none.bind("items", List.of());
    if (value instanceof Undefined) {
      return new Items(Items.Kind.GENERATOR, List.of());
    } else if (value instanceof Map<?, ?> map) {
      return new Items(Items.Kind.GENERATOR, Python.entries(map));
    }
    throw new TemplateException("items: found %s, expected a dict".formatted(Python.kind(value)));
  }

  private static Object dictsort(Object value, Arguments none) {
    none.bind("dictsort", List.of());
    if (!(value instanceof Map<?, ?> map)) {
      throw new TemplateException(
          "dictsort: found %s, expected a dict".formatted(Python.kind(value)));
    }
    List<Object> sorted = new ArrayList<>(Python.entries(map));
    sorted.sort((one, other) -> Python.compare(lowerKey(one), lowerKey(other)));
    return sorted;
  }

  private static String lowerKey(Object entry) {
    return TextMethods.lower((String) ((Items) entry).values().get(0), Arguments.NONE);
  }

  private static Object first(Object value, Arguments none) {
    List<Object> items = Python.items(value);
    return alone("first", none, items.isEmpty() ? nothing("first") : items.get(0));
  }

  private static Object last(Object value, Arguments none) {
    requireNoGenerator("last", value);
    List<Object> items = Python.items(value);
    return alone("last", none, items.isEmpty() ? nothing("last") : items.get(items.size() - 1));
  }

  private static Undefined nothing(String filter) {
    return new Undefined("the filter '%s' found no items".formatted(filter));
  }

  private static void requireNoGenerator(String name, Object value) {
    if (value instanceof Items items && items.kind() == Items.Kind.GENERATOR) {
      throw new TemplateException("%s: found a generator, expected a list".formatted(name));
    }
  }

  private static Object reverse(Object value, Arguments none) {
    requireNoGenerator("reverse", value);
    List<Object> items = new ArrayList<>(Python.items(value));
    Collections.reverse(items);
    return alone(
        "reverse",
        none,
        value instanceof String
            ? String.join("", items.toArray(String[]::new))
            : new Items(Items.Kind.GENERATOR, items));
  }

  private static Object map(Object value, Arguments given) {
    List<Object> all = itemsOrNone(value);
    List<Object> mapped;
    if (given.positional().isEmpty()) {
      Map<String, Object> bound = given.bind("map", List.of("attribute", "default"));
      Object otherwise = bound.get("default");
      mapped =
          all.stream()
              .map(item -> attribute("map", item, bound.get("attribute")))
              .map(found -> found instanceof Undefined && otherwise != null ? otherwise : found)
              .toList();
    } else {
      BiFunction<Object, Arguments, Object> filter = of(name("map", given.positional().get(0)));
      Arguments rest =
          new Arguments(given.positional().subList(1, given.positional().size()), given.named());
      mapped = all.stream().map(item -> filter.apply(item, rest)).toList();
    }
    return new Items(Items.Kind.GENERATOR, mapped);
  }

  private static Object chosen(
      Object value, Arguments given, boolean isByAttribute, boolean isKept) {
    new Arguments(List.of(), given.named()).bind("select", List.of());
    List<Object> arguments = given.positional();
    int used = isByAttribute ? 1 : 0;
    if (arguments.size() < used) {
      throw new TemplateException("selectattr: expected the name of an attribute");
    }
    Predicate<Object> test =
        arguments.size() == used
            ? Python::isTrue
            : item ->
                Tests.of(name("select", arguments.get(used)))
                    .test(item, arguments.subList(used + 1, arguments.size()));
    List<Object> chosen = new ArrayList<>();
    for (Object item : itemsOrNone(value)) {
      Object asked = isByAttribute ? attribute("selectattr", item, arguments.get(0)) : item;
      if (test.test(asked) == isKept) {
        chosen.add(item);
      }
    }
    return new Items(Items.Kind.GENERATOR, chosen);
  }

  /** What is false has none. */
  private static List<Object> itemsOrNone(Object value) {
    return Python.isTrue(value) ? Python.items(value) : List.of();
  }

  private static String name(String filter, Object value) {
    if (value instanceof String name) {
      return name;
    }
    throw new TemplateException("%s: expected a name".formatted(filter));
  }

  private static Object attribute(String filter, Object item, Object path) {
    Object found = item;
    for (String part : name(filter, path).split("\\.", -1)) {
      if (part.matches("\\d*")) {
        throw new TemplateException("%s: '%s' is not supported".formatted(filter, path));
      }
      found = Python.item(found, part);
    }
    return found;
  }
}
