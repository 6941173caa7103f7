package io.moneonnx.json;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The keys and values of a JSON object that no record has, in the order in which they are given.
 */
public final class Fields {
  private final Map<String, Object> values = new LinkedHashMap<>();

  /** An object with these keys, and what {@code json} makes of their values. */
  public static <T> Fields of(Map<String, T> map, Function<T, ?> json) {
    Fields fields = new Fields();
    map.forEach((key, value) -> fields.with(key, json.apply(value)));
    return fields;
  }

  /** One more; what is null, empty or not finite is written as null. */
  public Fields with(String key, Object value) {
    values.put(key, value);
    return this;
  }

  /** One more, if there is any. */
  public Fields withAny(String key, Optional<?> value) {
    value.ifPresent(found -> with(key, found));
    return this;
  }

  Map<String, Object> values() {
    return Collections.unmodifiableMap(values);
  }
}
