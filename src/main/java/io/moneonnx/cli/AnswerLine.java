package io.moneonnx.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.moneonnx.data.ChoiceItem;
import io.moneonnx.eval.Answer;

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
    JsonArray likelihoods = new JsonArray();
    JsonArray lengths = new JsonArray();
    for (int choice = 0; choice < item.choices().size(); choice++) {
      likelihoods.add(answer.logLikelihoods().get(choice));
      lengths.add(item.length(choice));
    }
    JsonObject line = new JsonObject();
    line.addProperty("item", item.place());
    line.addProperty("group", item.group());
    line.addProperty("label", item.label());
    line.add("logLikelihoods", likelihoods);
    line.add("lengths", lengths);
    line.addProperty("chosen", answer.chosen());
    line.addProperty("chosenByLength", answer.chosenByLength());
    line.addProperty("acc", answer.isRight() ? 1 : 0);
    line.addProperty("acc_norm", answer.isRightByLength() ? 1 : 0);
    return line.toString();
  }
}
