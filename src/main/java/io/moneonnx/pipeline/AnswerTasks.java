package io.moneonnx.pipeline;

import io.moneonnx.data.ChoiceFile;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.data.ModelInputs;
import io.moneonnx.data.PairEncoder;
import io.moneonnx.eval.Answer;
import io.moneonnx.eval.Likelihoods;
import io.moneonnx.eval.MultipleChoice;
import io.moneonnx.eval.NextToken;
import io.moneonnx.eval.TaskScores;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/** Has a model answer files of multiple-choice items. */
public final class AnswerTasks {
  private final RunOptions options;
  private final Console console;

  public AnswerTasks(RunOptions options, Console console) {
    this.options = options;
    this.console = console;
  }

  /**
   * What to answer.
   *
   * @param model a file, or a folder with a model in it
   * @param files of items, JSONL
   * @param limit items of each file that are enough
   * @param batch sequences in one run of the model
   * @param tokenizer to use instead of the one beside the model
   */
  public record Request(
      Path model,
      List<Path> files,
      OptionalInt limit,
      OptionalInt batch,
      Optional<Path> tokenizer) {
    public Request {
      files = List.copyOf(files);
      requirePositive("number of items", limit);
      requirePositive("batch size", batch);
    }

    private static void requirePositive(String what, OptionalInt number) {
      if (number.isPresent() && number.getAsInt() < 1) {
        throw new BadInputException(what + ": found " + number.getAsInt() + ", wanted 1 or more");
      }
    }
  }

  /**
   * Answers all items.
   *
   * @param each is told of every answer, in the order of files and lines
   * @throws BadInputException if the model foresees no tokens, or a file or an item cannot be used
   */
  public TaskScores run(Request request, Consumer<Answer> each) {
    ReadModel read = ReadModel.open(request.model());
    NextToken nextToken = new LanguageModel(read).requireNextToken();
    Map<Path, Long> items = items(request);
    ModelInputs inputs = ModelInputs.of(read.model().graph());
    ModelFolder folder = new ModelFolder(read.folder());
    Path tokenizer = request.tokenizer().orElseGet(folder::tokenizer);
    try (PairEncoder encoder = PairEncoder.open(tokenizer, inputs, folder);
        Likelihoods likelihoods =
            Likelihoods.open(read.model(), read.folder(), nextToken, request.batch(), options)) {
      return answer(new MultipleChoice(encoder, likelihoods), items, each);
    } catch (RuntimeFailureException e) {
      read.requireLoads(options);
      throw e;
    }
  }

  /** How many of each file are to be answered; all are read before any work is done. */
  private static Map<Path, Long> items(Request request) {
    int limit = request.limit().orElse(Integer.MAX_VALUE);
    Map<Path, Long> items = new LinkedHashMap<>();
    for (Path file : request.files()) {
      if (items.put(file, ChoiceFile.count(file, limit)) != null) {
        throw new BadInputException(file + ": is given twice: its items would count twice");
      }
    }
    return items;
  }

  private TaskScores answer(MultipleChoice choice, Map<Path, Long> files, Consumer<Answer> each) {
    TaskScores scores = new TaskScores();
    files.forEach(
        (path, count) -> {
          try (ChoiceFile items = ChoiceFile.open(path, Math.toIntExact(count));
              Console.Progress progress = console.begin(what(path, count), count)) {
            choice.answer(
                items,
                answer -> {
                  scores.add(answer);
                  each.accept(answer);
                  progress.step();
                });
          }
        });
    return scores;
  }

  private static String what(Path file, long items) {
    return "answering %,d items of %s".formatted(items, file);
  }
}
