package io.moneonnx.plan;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.moneonnx.graph.BadInputException;
import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * One JSON object's members by key. What is missing, of another kind, or not known is an error that
 * names the object and the key.
 */
final class JsonMembers {
  private static final int SHOWN = 40;

  private final String where;
  private final JsonObject object;

  private JsonMembers(String where, JsonObject object) {
    this.where = where;
    this.object = object;
  }

  /** The members of {@code element}, which messages call {@code where}. */
  static JsonMembers of(String where, JsonElement element) {
    if (!element.isJsonObject()) {
      throw wrong(where, "an object", element);
    }
    return new JsonMembers(where, element.getAsJsonObject());
  }

  /** The same members under a better name. */
  JsonMembers named(String changed) {
    return new JsonMembers(changed, object);
  }

  /** Throws if there is any other key. */
  JsonMembers only(Set<String> keys) {
    for (String key : object.keySet()) {
      if (!keys.contains(key)) {
        throw new BadInputException(
            "%s: unknown key '%s'; known are %s"
                .formatted(where, key, String.join(", ", new TreeSet<>(keys))));
      }
    }
    return this;
  }

  boolean has(String key) {
    return object.has(key);
  }

  String text(String key) {
    JsonElement found = required(key);
    if (found instanceof JsonPrimitive primitive && primitive.isString()) {
      return primitive.getAsString();
    }
    throw wrong(place(key), "a text", found);
  }

  Optional<String> optionalText(String key) {
    return has(key) ? Optional.of(text(key)) : Optional.empty();
  }

  int integer(String key) {
    return integer(place(key), required(key));
  }

  BigDecimal number(String key) {
    return number(place(key), "a number", required(key));
  }

  List<JsonElement> array(String key) {
    JsonElement found = required(key);
    if (!found.isJsonArray()) {
      throw wrong(place(key), "an array", found);
    }
    return found.getAsJsonArray().asList();
  }

  List<Integer> integers(String key) {
    return array(key).stream().map(element -> integer(place(key), element)).toList();
  }

  private JsonElement required(String key) {
    return Optional.ofNullable(object.get(key))
        .orElseThrow(() -> new BadInputException(where + ": no key '" + key + "'"));
  }

  private String place(String key) {
    return where + ": '" + key + "'";
  }

  private static int integer(String place, JsonElement element) {
    try {
      return number(place, "an integer", element).intValueExact();
    } catch (ArithmeticException e) {
      throw wrong(place, "an integer", element);
    }
  }

  private static BigDecimal number(String place, String wanted, JsonElement element) {
    if (element instanceof JsonPrimitive primitive && primitive.isNumber()) {
      try {
        return primitive.getAsBigDecimal();
      } catch (NumberFormatException e) {
        throw wrong(place, wanted, element);
      }
    }
    throw wrong(place, wanted, element);
  }

  private static BadInputException wrong(String place, String wanted, JsonElement found) {
    String text = found.toString();
    return new BadInputException(
        "%s wants %s, found %s"
            .formatted(
                place, wanted, text.length() > SHOWN ? text.substring(0, SHOWN) + "..." : text));
  }
}
