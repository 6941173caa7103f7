package io.moneonnx.json;

import static java.util.stream.Collectors.joining;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * Writes values as JSON: a record is an object of its components in their order, as {@link
 * JsonReading} reads it; {@link Fields} and maps are objects too. Collections are arrays, on one
 * line where they hold integers. Empty optionals are null, and so are numbers that are not finite;
 * indented, a record goes without its empty optionals. Texts, paths and enum constants are what
 * they print themselves as.
 */
public final class JsonText {
  private final StringWriter text = new StringWriter();
  private final JsonWriter json = new JsonWriter(text);
  private final boolean isIndented;

  private JsonText(boolean isIndented) {
    this.isIndented = isIndented;
    json.setIndent(isIndented ? "  " : "");
  }

  /**
   * On one line.
   *
   * @throws IllegalArgumentException if a value is of a type that is not written
   */
  public static String of(Object value) {
    return new JsonText(false).text(value);
  }

  /** For people too: a line for each key, and an end of line. */
  public static String indented(Object value) {
    return new JsonText(true).text(value) + "\n";
  }

  /** A text for each component: a text as it is, any other as JSON on one line. */
  public static Map<String, String> texts(Record object) {
    Map<String, String> texts = new LinkedHashMap<>();
    for (RecordComponent component : object.getClass().getRecordComponents()) {
      Object value = component(object, component);
      texts.put(component.getName(), value instanceof String text ? text : of(value));
    }
    return texts;
  }

  private String text(Object value) {
    try {
      write(value);
      return text.toString();
    } catch (IOException e) {
      throw new IllegalStateException("a string cannot be written to", e);
    }
  }

  private void write(Object given) throws IOException {
    Object value = unwrapped(given);
    if (value == null || (value instanceof Double number && !Double.isFinite(number))) {
      json.nullValue();
    } else if (value instanceof Record object) {
      write(object);
    } else if (value instanceof Fields fields) {
      write(fields.values());
    } else if (value instanceof Map<?, ?> map) {
      write(map);
    } else if (value instanceof Collection<?> elements) {
      write(elements);
    } else if (value instanceof Boolean truth) {
      json.value(truth);
    } else if (value instanceof Number number) {
      json.value(number);
    } else if (value instanceof String || value instanceof Path || value instanceof Enum) {
      json.value(value.toString());
    } else {
      throw new IllegalArgumentException("JSON of %s is not known".formatted(value.getClass()));
    }
  }

  /** What is in an optional, null if nothing is; any other value as it is. */
  private static Object unwrapped(Object value) {
    if (value instanceof Optional<?> found) {
      return found.orElse(null);
    } else if (value instanceof OptionalLong found) {
      return found.isPresent() ? found.getAsLong() : null;
    } else if (value instanceof OptionalDouble found) {
      return found.isPresent() ? found.getAsDouble() : null;
    }
    return value;
  }

  private void write(Record object) throws IOException {
    json.beginObject();
    for (RecordComponent component : object.getClass().getRecordComponents()) {
      Object value = unwrapped(component(object, component));
      if (value != null || !isIndented) {
        json.name(component.getName());
        write(value);
      }
    }
    json.endObject();
  }

  private static Object component(Record object, RecordComponent component) {
    try {
      component.getAccessor().setAccessible(true);
      return component.getAccessor().invoke(object);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(object + ": has no readable " + component, e);
    }
  }

  private void write(Map<?, ?> map) throws IOException {
    json.beginObject();
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      json.name(entry.getKey().toString());
      write(entry.getValue());
    }
    json.endObject();
  }

  private void write(Collection<?> elements) throws IOException {
    if (isIndented && elements.stream().allMatch(Integer.class::isInstance)) {
      json.jsonValue(elements.stream().map(Object::toString).collect(joining(", ", "[", "]")));
      return;
    }
    json.beginArray();
    for (Object element : elements) {
      write(element);
    }
    json.endArray();
  }
}
