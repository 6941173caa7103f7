package io.moneonnx.json;

import static java.util.stream.Collectors.joining;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.io.StringReader;
import java.lang.reflect.Constructor;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Reads records from JSON, strictly: a key that is missing, not known or of another kind is an
 * error that names it. Only an {@code Optional} may be left out, or null. Components are texts,
 * {@code int}, {@code long}, {@code BigDecimal}, enum constants as they print themselves, lists of
 * these and of records, and maps from texts to these.
 */
public final class JsonReading {
  private static final int SHOWN = 40;
  private static final String FITS = "\\P{Cntrl}{1,200}";

  private JsonReading() {}

  /**
   * Reads a record.
   *
   * @param what what messages call it
   * @throws BadInputException if the text is no JSON, with line and column, or no such record, with
   *     the key; an object with a {@code name} in a list is called by it: {@code block 'name'} in
   *     {@code blocks}
   */
  public static <T extends Record> T read(String what, String text, Class<T> type) {
    return type.cast(object(what, tree("", text), type));
  }

  /**
   * Reads a record from a text for each component, as {@link JsonText#texts} makes them; other
   * texts are left alone.
   *
   * @param what what messages call it
   * @throws BadInputException if a text is missing or cannot be its component, with its key
   */
  public static <T extends Record> T read(String what, Map<String, String> texts, Class<T> type) {
    JsonObject object = new JsonObject();
    for (RecordComponent component : type.getRecordComponents()) {
      String key = component.getName();
      String text = texts.get(key);
      if (text != null) {
        object.add(
            key,
            component.getType() == String.class
                ? new JsonPrimitive(text)
                : tree("%s: '%s' ".formatted(what, key), text));
      }
    }
    return type.cast(object(what, object, type));
  }

  private static JsonElement tree(String where, String text) {
    JsonReader reader = new JsonReader(new StringReader(text));
    reader.setStrictness(Strictness.STRICT);
    try {
      if (text.isBlank()) {
        throw new MalformedJsonException("the file is empty");
      }
      JsonElement tree = JsonParser.parseReader(reader);
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw new MalformedJsonException("unexpected text after the end");
      }
      return tree;
    } catch (JsonParseException | IOException e) {
      throw new BadInputException(where + "is no JSON: " + Reason.of(e), e);
    }
  }

  private static Object object(String where, JsonElement element, Class<?> type) {
    if (!(element instanceof JsonObject object)) {
      throw wrong(where, "an object", element);
    }
    RecordComponent[] components = type.getRecordComponents();
    List<String> known = Stream.of(components).map(RecordComponent::getName).sorted().toList();
    for (String key : object.keySet()) {
      if (!known.contains(key)) {
        throw new BadInputException(
            "%s: unknown key '%s'; known are %s".formatted(where, key, String.join(", ", known)));
      }
    }
    Object[] values =
        Stream.of(components)
            .map(it -> component(where, object, it.getName(), it.getGenericType()))
            .toArray();
    return construct(type, components, values);
  }

  private static Object component(String where, JsonObject object, String key, Type type) {
    Optional<JsonElement> found = Optional.ofNullable(object.get(key));
    Optional<Type> optional = argument(type, Optional.class);
    return optional.isPresent()
        ? found
            .filter(value -> !value.isJsonNull())
            .map(value -> value(where, key, value, optional.get()))
        : found
            .map(value -> value(where, key, value, type))
            .orElseThrow(() -> new BadInputException("%s: no key '%s'".formatted(where, key)));
  }

  /**
   * The last argument of a {@code List<...>} or the like: what it holds; empty for another type.
   */
  private static Optional<Type> argument(Type type, Class<?> container) {
    return type instanceof ParameterizedType generic && generic.getRawType() == container
        ? Stream.of(generic.getActualTypeArguments()).reduce((key, held) -> held)
        : Optional.empty();
  }

  private static Object value(String where, String key, JsonElement found, Type type) {
    String place = "%s: '%s'".formatted(where, key);
    Optional<Type> listed = argument(type, List.class);
    Optional<Type> mapped = argument(type, Map.class);
    if (listed.isPresent()) {
      return list(where, key, found, listed.get());
    } else if (mapped.isPresent()) {
      return map(place, found, mapped.get());
    } else if (type == String.class) {
      return text(place, found);
    } else if (type == Boolean.class) {
      return truth(place, found);
    } else if (type == BigDecimal.class) {
      return number(place, "a number", found);
    } else if (type == int.class || type == Integer.class) {
      return integer(place, found, BigDecimal::intValueExact);
    } else if (type == long.class || type == Long.class) {
      return integer(place, found, BigDecimal::longValueExact);
    } else if (type instanceof Class<?> object && object.isRecord()) {
      return object(place, found, object);
    } else if (type instanceof Class<?> constants && constants.isEnum()) {
      return oneOf(place, found, List.of(constants.getEnumConstants()));
    }
    throw new IllegalArgumentException("%s: JSON of %s is not known".formatted(place, type));
  }

  private static List<Object> list(String where, String key, JsonElement found, Type type) {
    if (!(found instanceof JsonArray array)) {
      throw wrong("%s: '%s'".formatted(where, key), "an array", found);
    }
    List<Object> values = new ArrayList<>();
    for (JsonElement element : array) {
      values.add(
          type instanceof Class<?> object && object.isRecord()
              ? object(place(where, key, values.size(), element), element, object)
              : value(where, key, element, type));
    }
    return values;
  }

  private static Map<String, Object> map(String place, JsonElement found, Type type) {
    if (!(found instanceof JsonObject object)) {
      throw wrong(place, "an object", found);
    }
    Map<String, Object> values = new LinkedHashMap<>();
    object.asMap().forEach((key, value) -> values.put(key, value(place, key, value, type)));
    return values;
  }

  /**
   * {@code block 'name'} for what has a name among {@code blocks} that fits on a line, else its
   * number.
   */
  private static String place(String where, String key, int index, JsonElement element) {
    return element instanceof JsonObject object
            && object.get("name") instanceof JsonPrimitive name
            && name.isString()
            && name.getAsString().matches(FITS)
        ? "%s '%s'".formatted(key.replaceFirst("s$", ""), name.getAsString())
        : "%s: %s[%d]".formatted(where, key, index);
  }

  private static String text(String place, JsonElement found) {
    if (found instanceof JsonPrimitive primitive && primitive.isString()) {
      return primitive.getAsString();
    }
    throw wrong(place, "a text", found);
  }

  private static boolean truth(String place, JsonElement found) {
    if (found instanceof JsonPrimitive primitive && primitive.isBoolean()) {
      return primitive.getAsBoolean();
    }
    throw wrong(place, "true or false", found);
  }

  private static <T> T integer(String place, JsonElement found, Function<BigDecimal, T> exact) {
    try {
      return exact.apply(number(place, "an integer", found));
    } catch (ArithmeticException e) {
      throw wrong(place, "an integer", found);
    }
  }

  private static BigDecimal number(String place, String wanted, JsonElement found) {
    if (found instanceof JsonPrimitive primitive && primitive.isNumber()) {
      try {
        return primitive.getAsBigDecimal();
      } catch (NumberFormatException e) { // 1e999999999
        throw wrong(place, wanted, found);
      }
    }
    throw wrong(place, wanted, found);
  }

  private static Object oneOf(String place, JsonElement found, List<Object> constants) {
    String text = text(place, found);
    return constants.stream()
        .filter(constant -> constant.toString().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                wrong(
                    place,
                    constants.stream().map("\"%s\""::formatted).collect(joining(" or ")),
                    found));
  }

  private static Object construct(Class<?> type, RecordComponent[] components, Object[] values) {
    try {
      Constructor<?> constructor =
          type.getDeclaredConstructor(
              Stream.of(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (ReflectiveOperationException e) {
      if (e.getCause() instanceof BadInputException wrong) {
        throw wrong;
      }
      throw new IllegalStateException(type + " cannot be made", e);
    }
  }

  private static BadInputException wrong(String place, String wanted, JsonElement found) {
    String text = found.toString();
    return new BadInputException(
        "%s wants %s, found %s"
            .formatted(
                place, wanted, text.length() > SHOWN ? text.substring(0, SHOWN) + "..." : text));
  }
}
