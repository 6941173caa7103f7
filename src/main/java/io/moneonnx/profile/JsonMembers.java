package io.moneonnx.profile;

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
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;

/**
 * One JSON object's members by key. What is missing, of another kind, or not known is an error that
 * names the object and the key.
 */
public final class JsonMembers {
  private static final int SHOWN = 40;

  private final String where;
  private final JsonObject object;

  private JsonMembers(String where, JsonObject object) {
    this.where = where;
    this.object = object;
  }

  /**
   * What a text says.
   *
   * @throws BadInputException with line and column, if it is no JSON
   */
  public static JsonElement tree(String text) {
    JsonReader reader = new JsonReader(new StringReader(text));
    reader.setStrictness(Strictness.STRICT);
    try {
      if (text.isBlank()) {
        throw new MalformedJsonException("the file is empty");
      }
      JsonElement tree = JsonParser.parseReader(reader);
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw new MalformedJsonException("the text goes on after its value");
      }
      return tree;
    } catch (JsonParseException | IOException e) {
      throw new BadInputException("is no JSON: " + Reason.of(e), e);
    }
  }

  /** The members of {@code element}, which messages call {@code where}. */
  public static JsonMembers of(String where, JsonElement element) {
    if (!element.isJsonObject()) {
      throw wrong(where, "an object", element);
    }
    return new JsonMembers(where, element.getAsJsonObject());
  }

  /** The same members under a better name. */
  public JsonMembers named(String changed) {
    return new JsonMembers(changed, object);
  }

  /** Throws if there is any other key. */
  public JsonMembers only(Set<String> keys) {
    for (String key : object.keySet()) {
      if (!keys.contains(key)) {
        throw new BadInputException(
            "%s: unknown key '%s'; known are %s"
                .formatted(where, key, String.join(", ", new TreeSet<>(keys))));
      }
    }
    return this;
  }

  public boolean has(String key) {
    return object.has(key);
  }

  public String text(String key) {
    return text(place(key), required(key));
  }

  /** Empty for null too. */
  Optional<String> nullableText(String key) {
    return required(key).isJsonNull() ? Optional.empty() : Optional.of(text(key));
  }

  public Optional<String> optionalText(String key) {
    return has(key) ? Optional.of(text(key)) : Optional.empty();
  }

  public int integer(String key) {
    return integer(place(key), required(key));
  }

  public BigDecimal number(String key) {
    return number(place(key), "a number", required(key));
  }

  long whole(String key) {
    try {
      return number(key).longValueExact();
    } catch (ArithmeticException e) {
      throw wrong(place(key), "an integer", required(key));
    }
  }

  /** The members of an object of texts. */
  Map<String, String> namedTexts(String key) {
    return each(key, JsonMembers::text);
  }

  /** The members of an object of integers. */
  Map<String, Long> namedWholes(String key) {
    return each(key, JsonMembers::whole);
  }

  private <T> Map<String, T> each(String key, BiFunction<JsonMembers, String, T> member) {
    JsonMembers members = of(place(key), required(key));
    Map<String, T> all = new LinkedHashMap<>();
    members.object.keySet().forEach(name -> all.put(name, member.apply(members, name)));
    return all;
  }

  /** The same, with the JSON that the text of this key holds in place of the text. */
  JsonMembers parsed(String key) {
    JsonObject parsed = object.deepCopy();
    parsed.add(key, tree(text(key)));
    return new JsonMembers(where, parsed);
  }

  /** The texts of an array. */
  List<String> texts(String key) {
    return array(key).stream().map(element -> text(place(key), element)).toList();
  }

  /** The objects of an array. */
  List<JsonMembers> objects(String key) {
    return array(key).stream().map(element -> of(place(key), element)).toList();
  }

  public List<JsonElement> array(String key) {
    JsonElement found = required(key);
    if (!found.isJsonArray()) {
      throw wrong(place(key), "an array", found);
    }
    return found.getAsJsonArray().asList();
  }

  public List<Integer> integers(String key) {
    return array(key).stream().map(element -> integer(place(key), element)).toList();
  }

  private JsonElement required(String key) {
    return Optional.ofNullable(object.get(key))
        .orElseThrow(() -> new BadInputException(where + ": no key '" + key + "'"));
  }

  private String place(String key) {
    return where + ": '" + key + "'";
  }

  private static String text(String place, JsonElement found) {
    if (found instanceof JsonPrimitive primitive && primitive.isString()) {
      return primitive.getAsString();
    }
    throw wrong(place, "a text", found);
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
