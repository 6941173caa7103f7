package io.moneonnx.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Several values that are no list. */
final class Items {
  enum Kind {
    TUPLE,
    /** What {@code range} and the methods of a dict give. */
    VIEW,
    /** What filters give that pass on one value after the other: true, and read once. */
    GENERATOR
  }

  private final Kind kind;
  private final List<Object> values;
  private boolean isRead;

  Items(Kind kind, List<?> values) {
    this.kind = kind;
    this.values = Collections.unmodifiableList(new ArrayList<Object>(values));
  }

  static Items tuple(Object... values) {
    return new Items(Kind.TUPLE, List.of(values));
  }

  Kind kind() {
    return kind;
  }

  int size() {
    return values.size();
  }

  /** All of them; a second time not, of a generator. */
  List<Object> values() {
    if (kind == Kind.GENERATOR && isRead) {
      throw new TemplateException("a generator is read twice, expected the filter list behind it");
    }
    isRead = true;
    return values;
  }
}
