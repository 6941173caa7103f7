package io.moneonnx.cli;

import io.moneonnx.data.ChoiceItem;
import io.moneonnx.eval.Answer;
import io.moneonnx.eval.TaskScores;
import io.moneonnx.io.Draft;
import io.moneonnx.json.Fields;
import io.moneonnx.json.JsonText;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** Writes answers to a file as they are found: lines of JSON, all of them or no file at all. */
record AnswersFile(Path path) {
  /** Answers items and tells each answer as it goes. */
  interface Work {
    TaskScores run(Consumer<Answer> each) throws IOException;
  }

  /** What {@code work} finds. */
  TaskScores write(Work work) {
    List<TaskScores> found = new ArrayList<>();
    Draft.write(
        path,
        draft -> {
          try (BufferedWriter writer = Files.newBufferedWriter(draft)) {
            found.add(work.run(answer -> line(writer, answer)));
          } catch (UncheckedIOException e) {
            throw e.getCause();
          }
        });
    return found.get(0);
  }

  private static void line(BufferedWriter writer, Answer answer) {
    try {
      writer.write(json(answer) + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * One answer as a line of JSON, to compare models item by item. {@code logLikelihoods} are in
   * nats, {@code lengths} in characters, choices are counted from 0, {@code acc} and {@code
   * acc_norm} are 1 where the choice is right:
   *
   * <pre>{@code
   * {"item": "file:line", "group", "label", "logLikelihoods": [], "lengths": [],
   *  "chosen", "chosenByLength", "acc", "acc_norm"}
   * }</pre>
   */
  private static String json(Answer answer) {
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
