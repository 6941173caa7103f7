package io.moneonnx.jinja;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** Names and what they stand for, in a template, a round of a loop, or a macro. */
final class Scope {
  /** Steps of one rendering: signs and items that are made, and {@link #INNER} for each scope. */
  private static final long MOST = 1L << 27;

  private static final int INNER = 32;

  private final Scope outer;
  private final AtomicLong steps;
  private final Map<String, Object> values = new HashMap<>();

  private Scope(Scope outer, AtomicLong steps) {
    this.outer = outer;
    this.steps = steps;
  }

  static Scope of(Map<String, Object> values) {
    Scope scope = new Scope(null, new AtomicLong());
    scope.values.putAll(values);
    return scope;
  }

  /** What is set there is seen there only. */
  Scope inner() {
    take(INNER);
    return new Scope(this, steps);
  }

  /**
   * The same value, made by one more step for each sign or item.
   *
   * @throws TemplateException if the rendering has taken too many
   */
  <T> T made(T value) {
    int size =
        value instanceof String text
            ? text.length()
            : value instanceof Collection<?> list
                ? list.size()
                : value instanceof Items items ? items.size() : 0;
    take(1 + size);
    return value;
  }

  private void take(int more) {
    if (steps.addAndGet(more) > MOST) {
      throw new TemplateException(
          "it takes more than %,d steps, expected loops and macros that end".formatted(MOST));
    }
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
