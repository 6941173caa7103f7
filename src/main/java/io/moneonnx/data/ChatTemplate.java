package io.moneonnx.data;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import io.moneonnx.graph.WholeFile;
import io.moneonnx.jinja.Template;
import io.moneonnx.jinja.TemplateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes text of chats as {@code apply_chat_template(messages, tokenize=False)} of transformers
 * does: by the template in {@code chat_template.jinja} or {@code tokenizer_config.json} beside the
 * tokenizer, which is read when there is a chat.
 */
final class ChatTemplate {
  private static final String CONFIG = "tokenizer_config.json";
  private static final String ALONE = "chat_template.jinja";
  private static final List<String> SPECIAL =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  /** Roles of chats whose messages are called {@code from} and {@code value}. */
  private static final Map<String, String> ROLES =
      Map.of(
          "system",
          "system",
          "human",
          "user",
          "user",
          "user",
          "gpt",
          "assistant",
          "assistant",
          "assistant");

  private final Path tokenizer;
  private final Map<String, Object> variables = new HashMap<>();
  private Optional<Template> template = Optional.empty();

  ChatTemplate(Path tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** The files that say how chats are rendered, if any was. */
  List<Path> used() {
    return template.isEmpty()
        ? List.of()
        : List.of(ALONE, CONFIG).stream()
            .map(tokenizer::resolveSibling)
            .filter(Files::exists)
            .toList();
  }

  /**
   * The text of a chat.
   *
   * @param record what it is a field of; it may list tools
   * @param place of the record, for messages
   * @throws BadInputException if there is no template, or it does not render this chat
   */
  String text(JsonArray chat, JsonObject record, String place) {
    if (template.isEmpty()) {
      template = Optional.of(read(place));
    }
    Map<String, Object> given = new HashMap<>(variables);
    given.put("messages", messages(chat, place));
    given.put("tools", tools(record, place));
    given.put("documents", null);
    given.put("add_generation_prompt", false);
    try {
      return template.get().render(given);
    } catch (TemplateException e) {
      throw new BadInputException(
          "%s: the chat template of %s does not render it: %s"
              .formatted(place, used().get(0), e.getMessage()),
          e);
    }
  }

  private Template read(String place) {
    Path config = tokenizer.resolveSibling(CONFIG);
    Path alone = tokenizer.resolveSibling(ALONE);
    if (!Files.exists(config)) {
      throw missing(place, config + " is not there");
    }
    JsonObject settings = settings(config);
    SPECIAL.forEach(
        name -> special(settings.get(name)).ifPresent(token -> variables.put(name, token)));
    Path file = Files.exists(alone) ? alone : config;
    try {
      return Template.parse(
          file.equals(alone) ? WholeFile.text(alone) : named(settings, config, place));
    } catch (TemplateException e) {
      throw new BadInputException(
          "%s: the chat template of %s: %s".formatted(place, file, e.getMessage()), e);
    } catch (IOException e) {
      throw new BadInputException(file + ": cannot be read: " + Reason.of(e), e);
    }
  }

  private static JsonObject settings(Path config) {
    try {
      if (JsonParser.parseString(WholeFile.text(config)) instanceof JsonObject settings) {
        return settings;
      }
      throw new BadInputException(config + ": expected a JSON object");
    } catch (IOException | JsonParseException e) {
      throw new BadInputException(config + " is no readable JSON: " + Reason.of(e), e);
    }
  }

  private static Optional<String> special(JsonElement token) {
    JsonElement content = token instanceof JsonObject fields ? fields.get("content") : token;
    return content instanceof JsonPrimitive text && text.isString()
        ? Optional.of(text.getAsString())
        : Optional.empty();
  }

  /** The template, or of several the one called {@code default}. */
  private static String named(JsonObject settings, Path config, String place) {
    JsonElement found = settings.get("chat_template");
    if (found instanceof JsonArray several) {
      found = null;
      for (JsonElement each : several) {
        if (each instanceof JsonObject fields
            && special(fields.get("name")).filter("default"::equals).isPresent()) {
          found = fields.get("template");
        }
      }
    }
    if (found instanceof JsonPrimitive text && text.isString()) {
      return text.getAsString();
    }
    throw missing(place, config + " has no chat_template, or none called default");
  }

  private static BadInputException missing(String place, String why) {
    return new BadInputException(
        ("%s: is a chat, expected a chat template beside the tokenizer: %s, and no %s; or write what"
                + " tokenizer.apply_chat_template(messages, tokenize=False) of Python's transformers"
                + " gives into a field, and name it with --field")
            .formatted(place, why, ALONE));
  }

  private static List<Object> messages(JsonArray chat, String place) {
    List<Object> messages = new ArrayList<>();
    for (JsonElement each : chat) {
      String where = "%s: message %d".formatted(place, messages.size());
      if (!(each instanceof JsonObject message)) {
        throw new BadInputException(where + ": expected {\"role\": ..., \"content\": ...}");
      }
      messages.add(message.has("from") ? renamed(message, where) : valued(message, where));
    }
    if (messages.isEmpty()) {
      throw new BadInputException(place + ": is a chat without messages");
    }
    return messages;
  }

  private static Object valued(JsonObject message, String where) {
    if (!(message.get("role") instanceof JsonPrimitive role) || !role.isString()) {
      throw new BadInputException(where + ": found no 'role', expected the name of one");
    }
    return value(message, where);
  }

  private static Object renamed(JsonObject message, String where) {
    String from = special(message.get("from")).orElse("");
    if (!ROLES.containsKey(from)
        || special(message.get("value")).isEmpty()
        || message.size() != 2) {
      throw new BadInputException(
          "%s: found from '%s' and the fields %s, expected from human, gpt or system, and value"
              .formatted(where, from, message.keySet()));
    }
    return Map.of("role", ROLES.get(from), "content", message.get("value").getAsString());
  }

  private static Object tools(JsonObject record, String place) {
    JsonElement tools = record.get("tools");
    if (tools == null || tools instanceof JsonNull) {
      return null;
    } else if (tools instanceof JsonArray list) {
      return list.isEmpty() ? null : value(list, place);
    }
    throw new BadInputException(
        place + ": found tools that are no list, expected the definitions of the chat's tools");
  }

  private static Object value(JsonElement element, String place) {
    if (element instanceof JsonObject object) {
      Map<String, Object> fields = new LinkedHashMap<>();
      object.entrySet().forEach(each -> fields.put(each.getKey(), value(each.getValue(), place)));
      return fields;
    } else if (element instanceof JsonArray array) {
      List<Object> items = new ArrayList<>();
      array.forEach(each -> items.add(value(each, place)));
      return items;
    } else if (element instanceof JsonPrimitive single) {
      return single.isNumber()
          ? number(single, place)
          : single.isBoolean() ? (Object) single.getAsBoolean() : single.getAsString();
    }
    return null;
  }

  private static Object number(JsonPrimitive number, String place) {
    String text = number.getAsString();
    try {
      return text.matches("-?\\d+") ? (Object) Long.valueOf(text) : (Object) Double.valueOf(text);
    } catch (NumberFormatException e) {
      throw new BadInputException(
          "%s: the number %s of a chat is too large".formatted(place, text), e);
    }
  }
}
