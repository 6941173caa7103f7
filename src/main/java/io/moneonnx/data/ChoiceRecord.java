package io.moneonnx.data;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.moneonnx.graph.BadInputException;
import java.math.BigDecimal;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * One line of a file of multiple-choice items, checked field by field.
 *
 * @param place {@code file:line}, for messages
 */
record ChoiceRecord(String place, JsonElement json) {
  private static final int LONGEST_SHOWN = 60;

  /**
   * The item.
   *
   * @param group what it is part of where it does not say
   * @throws BadInputException if a field is missing or holds something else than wanted
   */
  ChoiceItem item(String group) {
    List<String> choices = choices();
    return new ChoiceItem(
        place,
        contexts(choices.size()),
        choices,
        text("delimiter").orElse(" "),
        label(choices.size()),
        text("group").filter(name -> !name.isEmpty()).orElse(group));
  }

  private List<String> choices() {
    List<String> choices =
        texts("choices").orElseThrow(() -> wrong("choices", "a list of two or more texts"));
    if (choices.size() < 2 || choices.contains("")) {
      throw wrong("choices", "two or more texts, none of them empty");
    }
    return choices;
  }

  private List<String> contexts(int choices) {
    String wanted = "a text, or a list of %d, one a choice".formatted(choices);
    List<String> contexts =
        field("context")
            .filter(JsonElement::isJsonArray)
            .map(list -> texts("context"))
            .orElseGet(() -> text("context").map(text -> Collections.nCopies(choices, text)))
            .orElseThrow(() -> wrong("context", wanted));
    if (contexts.size() != choices) {
      throw wrong("context", wanted);
    }
    if (contexts.stream().anyMatch(context -> !context.isEmpty() && isBlank(context))) {
      throw wrong("context", "text, or nothing at all: blanks alone make no tokens of their own");
    }
    return contexts;
  }

  private static boolean isBlank(String context) {
    return TrailingSpace.start(context) == 0;
  }

  private int label(int choices) {
    String wanted = "the number of a choice, 0 to %d".formatted(choices - 1);
    return field("label")
        .filter(found -> found instanceof JsonPrimitive value && value.isNumber())
        .map(JsonElement::getAsBigDecimal)
        .filter(
            label ->
                label.signum() >= 0
                    && label.compareTo(BigDecimal.valueOf(choices)) < 0
                    && label.stripTrailingZeros().scale() <= 0)
        .map(BigDecimal::intValue)
        .orElseThrow(() -> wrong("label", wanted));
  }

  /** A text, if the field is there. */
  private Optional<String> text(String name) {
    Optional<JsonElement> found = field(name);
    if (found.isPresent() && !isText(found.get())) {
      throw wrong(name, "a text");
    }
    return found.map(JsonElement::getAsString);
  }

  private Optional<List<String>> texts(String name) {
    return field(name)
        .filter(found -> found instanceof JsonArray list && elements(list).allMatch(this::isText))
        .map(found -> elements(found.getAsJsonArray()).map(JsonElement::getAsString).toList());
  }

  private static Stream<JsonElement> elements(JsonArray list) {
    return list.asList().stream();
  }

  private boolean isText(JsonElement element) {
    return element instanceof JsonPrimitive value && value.isString();
  }

  private Optional<JsonElement> field(String name) {
    if (!(json instanceof JsonObject fields)) {
      throw new BadInputException(
          "%s: found %s, expected {\"context\": ..., \"choices\": [...], \"label\": ...}"
              .formatted(place, shown(json)));
    }
    return Optional.ofNullable(fields.get(name)).filter(found -> !found.isJsonNull());
  }

  private BadInputException wrong(String name, String wanted) {
    return new BadInputException(
        "%s: field '%s': found %s, expected %s"
            .formatted(
                place, name, field(name).map(ChoiceRecord::shown).orElse("nothing"), wanted));
  }

  private static String shown(JsonElement found) {
    String text = found.toString();
    return text.length() <= LONGEST_SHOWN ? text : text.substring(0, LONGEST_SHOWN) + "...";
  }
}
