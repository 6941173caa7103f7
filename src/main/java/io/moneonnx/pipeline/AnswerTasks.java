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
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
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
   * @param samples a file that is going to be written; what is there may be replaced
   */
  public record Request(
      Path model,
      List<Path> files,
      OptionalInt limit,
      OptionalInt batch,
      Optional<Path> tokenizer,
      Optional<Path> samples) {
    public Request {
      files = List.copyOf(files);
      requirePositive("number of items", limit);
      requirePositive("batch size", batch);
    }

    private static void requirePositive(String what, OptionalInt number) {
      if (number.isPresent() && number.getAsInt() < 1) {
        throw new BadInputException(what + ": found " + number.getAsInt() + ", expected 1 or more");
      }
    }
  }

  /**
   * Answers all items.
   *
   * @param each is told of every answer, in the order of files and lines
   * @throws BadInputException if the model foresees no tokens, a file or an item cannot be used, or
   *     a file that is read would be replaced
   */
  public TaskScores run(Request request, Consumer<Answer> each) throws IOException {
    ReadModel read = ReadModel.open(request.model());
    NextToken nextToken = new LanguageModel(read).requireNextToken();
    Map<Path, Long> items = items(request);
    ModelInputs wanted = ModelInputs.of(read.model().graph());
    ModelFolder folder = new ModelFolder(read.folder());
    Path tokenizer = request.tokenizer().orElseGet(folder::tokenizer);
    if (request.samples().isPresent()) {
      List<Path> inputs = new ArrayList<>(request.files());
      inputs.add(tokenizer);
      inputs.addAll(read.files().all());
      Output.check(request.samples().get(), true, inputs, console);
    }
    try (PairEncoder encoder = PairEncoder.open(tokenizer, wanted, folder);
        Likelihoods likelihoods =
            Likelihoods.open(read.model(), read.folder(), nextToken, request.batch(), options)) {
      TaskScores scores = answer(new MultipleChoice(encoder, likelihoods), items, each);
      encoder.warnings(request.files()).forEach(console::say);
      return scores;
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
