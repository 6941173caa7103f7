package io.moneonnx.cli;

import io.moneonnx.eval.Answer;
import io.moneonnx.eval.TaskScores;
import io.moneonnx.io.Draft;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

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
      writer.write(new AnswerLine(answer) + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
