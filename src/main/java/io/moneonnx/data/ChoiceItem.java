package io.moneonnx.data;

import java.util.List;

/**
 * A question with several answers to choose from.
 *
 * @param place where it was read, {@code file:line}
 * @param contexts what stands before each choice
 * @param delimiter what stands between a context and its choice
 * @param label the right choice, counted from 0
 * @param group the task that it is part of
 */
public record ChoiceItem(
    String place,
    List<String> contexts,
    List<String> choices,
    String delimiter,
    int label,
    String group) {
  public ChoiceItem {
    contexts = List.copyOf(contexts);
    choices = List.copyOf(choices);
  }

  /** What a choice adds to its context. */
  public String continuation(int choice) {
    return delimiter + choices.get(choice);
  }

  /** Characters of a choice, the delimiter not among them: what {@code acc_norm} divides by. */
  public int length(int choice) {
    String text = choices.get(choice);
    return text.codePointCount(0, text.length());
  }
}
