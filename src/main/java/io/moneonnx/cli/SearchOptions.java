package io.moneonnx.cli;

import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataSource;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.pipeline.DataRequest;
import io.moneonnx.pipeline.Prune;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** The options that have experts replaced by what it costs. */
final class SearchOptions {
  static final String LIMIT = "--max-ppl-increase";
  private static final String DATA = "--eval-data";

  @Option(
      names = LIMIT,
      paramLabel = "P",
      description =
          "Replace as many experts as can go before perplexity on held-out data, in total or of any"
              + " tag, increases by more than this part, such as 2%% or 0.02. Ratios are searched by"
              + " halves, one pass over the data each: larger ones are taken to cost more, and where"
              + " they do not, a larger one that keeps to the limit may be missed.")
  private Fraction limit;

  @Option(
      names = DATA,
      paramLabel = "SRC",
      arity = "1..*",
      description =
          "Held-out data for "
              + LIMIT
              + ", read as --data are; TAG=SRC to hold each tag to the limit. Without it:"
              + " heldout.{txt,jsonl,npz} in the model's directory.")
  private List<String> files = List.of();

  boolean isAsked() {
    return limit != null;
  }

  /** The options that were given. */
  List<String> given() {
    List<String> given = new ArrayList<>();
    if (isAsked()) {
      given.add(LIMIT);
    }
    if (!files.isEmpty()) {
      given.add(DATA);
    }
    return given;
  }

  /** Throws where there are data and nothing is to be measured on them. */
  void check() {
    if (!isAsked() && !files.isEmpty()) {
      throw new BadInputException(
          DATA + " requires " + LIMIT + ": nothing else is measured on held-out data");
    }
  }

  Prune.Choice choice(BudgetOptions budget, CalibrationOptions reading) {
    return new Prune.Choice.Within(
        budget.terms(),
        limit.value(),
        new DataRequest(
            files.stream().map(file -> DataSource.parse(DATA, file)).toList(), reading));
  }
}
