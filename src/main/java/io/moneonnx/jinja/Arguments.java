package io.moneonnx.jinja;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a macro, a function, a filter or a test is called with. */
record Arguments(List<Object> positional, Map<String, Object> named) {
  static final Arguments NONE = new Arguments(List.of(), Map.of());

  Arguments {
    positional = List.copyOf(positional);
    named = Map.copyOf(named);
  }

  /**
   * Each argument by the name of its parameter; those that are not given are absent.
   *
   * @param what is called, for messages
   */
  Map<String, Object> bind(String what, List<String> parameters) {
    if (positional.size() > parameters.size()) {
      throw new TemplateException(
          "%s: found %d arguments, expected at most %d"
              .formatted(what, positional.size(), parameters.size()));
    }
    Map<String, Object> bound = new HashMap<>();
    for (int i = 0; i < positional.size(); i++) {
      bound.put(parameters.get(i), positional.get(i));
    }
    named.forEach(
        (name, value) -> {
          if (!parameters.contains(name) || bound.put(name, value) != null) {
            throw new TemplateException(
                "%s: argument '%s' is not supported, or given twice".formatted(what, name));
          }
        });
    return bound;
  }

  /** The same, all of which must be texts. */
  Map<String, String> texts(String what, List<String> parameters) {
    Map<String, String> texts = new HashMap<>();
    bind(what, parameters)
        .forEach(
            (name, value) -> {
              if (value instanceof String text) {
                texts.put(name, text);
              } else if (value != None.NONE) {
                throw new TemplateException(
                    "%s: argument '%s' is %s, expected a text"
                        .formatted(what, name, Python.kind(value)));
              }
            });
    return texts;
  }
}
