package io.moneonnx.data;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Reads the documents of JSON records, one record at a time.
 *
 * @param field the field of a record that holds its text
 * @param template what makes text of chats
 */
record JsonRecords(Path path, String field, ChatTemplate template) {
  /** What chats are called in public data sets. */
  static final List<String> CHATS = List.of("messages", "conversations", "conversation");

  /** Each line that is not blank is a record. */
  void readLines(BufferedReader reader, TextSink sink) throws IOException {
    int number = 0;
    for (String line = reader.readLine();
        line != null && !sink.isFull();
        line = reader.readLine()) {
      number++;
      if (!line.isBlank()) {
        String place = path + ":" + number;
        sink.add(textOf(parsed(line, place), place));
        sink.endDocument();
      }
    }
  }

  private static JsonElement parsed(String line, String place) {
    try {
      return JsonParser.parseString(line);
    } catch (JsonParseException e) {
      throw new BadInputException(place + ": no readable JSON: " + Reason.of(e), e);
    }
  }

  /**
   * An array of records or of texts; or a record on each line, as tools write that call such files
   * {@code .json} too.
   */
  void readArray(BufferedReader reader, TextSink sink) throws IOException {
    switch (firstSign(reader)) {
      case '[' -> readElements(new JsonReader(reader), sink);
      case '{' -> readLines(reader, sink);
      case -1 -> {}
      default ->
          throw new BadInputException(
              path + ": expected a JSON array of texts or records, or a record on each line");
    }
  }

  /** The first character that is not white space, which stays to be read. */
  private static int firstSign(BufferedReader reader) throws IOException {
    int sign;
    do {
      reader.mark(1);
      sign = reader.read();
    } while (sign >= 0 && Character.isWhitespace(sign));
    reader.reset();
    return sign;
  }

  private void readElements(JsonReader json, TextSink sink) throws IOException {
    int index = 0;
    String place = path.toString();
    try {
      json.beginArray();
      while (!sink.isFull() && json.hasNext()) {
        place = "%s: [%d]".formatted(path, index++);
        sink.add(
            json.peek() == JsonToken.STRING
                ? json.nextString()
                : textOf(JsonParser.parseReader(json), place));
        sink.endDocument();
      }
      if (!sink.isFull()) {
        json.endArray();
        requireEnd(json);
      }
    } catch (MalformedJsonException | EOFException | JsonParseException e) {
      throw new BadInputException(place + ": no readable JSON: " + Reason.of(e), e);
    }
  }

  private void requireEnd(JsonReader json) throws IOException {
    if (json.peek() != JsonToken.END_DOCUMENT) {
      throw new BadInputException(path + ": expected nothing after its array");
    }
  }

  /**
   * The text of a record, or of the chat that it is.
   *
   * @param place of the record, for messages
   * @throws BadInputException if it is neither
   */
  String textOf(JsonElement element, String place) {
    JsonElement found = element instanceof JsonObject object ? object.get(field) : null;
    if (found instanceof JsonPrimitive text && text.isString()) {
      return text.getAsString();
    }
    if (element instanceof JsonObject object) {
      Optional<JsonArray> chat = chat(object, found);
      if (chat.isPresent()) {
        return template.text(chat.get(), object, place);
      }
    }
    throw new BadInputException(
        "%s: found no text in field '%s', expected {\"%s\": \"...\"}"
            .formatted(place, field, field));
  }

  /** The messages in the field, or where none is named in one that chats are called after. */
  private Optional<JsonArray> chat(JsonObject object, JsonElement found) {
    return found == null && field.equals(TextFile.FIELD)
        ? CHATS.stream().map(object::get).flatMap(JsonRecords::list).findFirst()
        : list(found).findFirst();
  }

  private static Stream<JsonArray> list(JsonElement element) {
    return element instanceof JsonArray array ? Stream.of(array) : Stream.empty();
  }
}
