package io.moneonnx.jinja;

import java.util.HashMap;
import java.util.Map;

/** Names and what they stand for, in a template, a round of a loop, or a macro. */
final class Scope {
  private final Scope outer;
  private final Map<String, Object> values = new HashMap<>();

  private Scope(Scope outer) {
    this.outer = outer;
  }

  static Scope of(Map<String, Object> values) {
    Scope scope = new Scope(null);
    scope.values.putAll(values);
    return scope;
  }

  /** What is set there is seen there only. */
  Scope inner() {
    return new Scope(this);
  }

  Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      Object value = scope.values.get(name);
      if (value != null) {
        return value;
      }
    }
    return new Undefined("'%s' is undefined".formatted(name));
  }

  void set(String name, Object value) {
    values.put(name, value);
  }
}
