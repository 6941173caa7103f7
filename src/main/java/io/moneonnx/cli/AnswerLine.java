package io.moneonnx.cli;

import io.moneonnx.data.ChoiceItem;
import io.moneonnx.eval.Answer;
import io.moneonnx.json.Fields;
import io.moneonnx.json.JsonText;
import java.util.stream.IntStream;

/**
 * One answer as a line of JSON, to compare models item by item. {@code logLikelihoods} are in nats,
 * {@code lengths} in characters, choices are counted from 0, {@code acc} and {@code acc_norm} are 1
 * where the choice is right:
 *
 * <pre>{@code
 * {"item": "file:line", "group", "label", "logLikelihoods": [], "lengths": [],
 *  "chosen", "chosenByLength", "acc", "acc_norm"}
 * }</pre>
 */
record AnswerLine(Answer answer) {
  @Override
  public String toString() {
    ChoiceItem item = answer.item();
    return JsonText.of(
        new Fields()
            .with("item", item.place())
            .with("group", item.group())
            .with("label", item.label())
            .with("logLikelihoods", answer.logLikelihoods())
            .with(
                "lengths",
                IntStream.range(0, item.choices().size()).map(item::length).boxed().toList())
            .with("chosen", answer.chosen())
            .with("chosenByLength", answer.chosenByLength())
            .with("acc", answer.isRight() ? 1 : 0)
            .with("acc_norm", answer.isRightByLength() ? 1 : 0));
  }
}
