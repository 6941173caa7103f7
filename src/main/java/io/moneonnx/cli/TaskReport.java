package io.moneonnx.cli;

import io.moneonnx.eval.Estimate;
import io.moneonnx.eval.Metric;
import io.moneonnx.eval.Tally;
import io.moneonnx.eval.TaskScore;
import io.moneonnx.eval.TaskScores;
import io.moneonnx.json.Fields;
import java.util.Arrays;
import java.util.stream.Collectors;

/** How a model did at each task, the subjects of MMLU as well, and what the average counts. */
record TaskReport(TaskScores scores) implements Report {
  @Override
  public String text() {
    Table table = new Table("task", "items", "acc", "+-", "acc_norm", "+-", "averaged");
    scores.subjects().forEach(subject -> row(table, subject, "in mmlu"));
    scores.tasks().forEach(task -> row(table, task, task.counted().toString()));
    return table + (scores.tasks().size() > 1 ? average() : "");
  }

  private static void row(Table table, TaskScore score, String averaged) {
    Estimate acc = score.acc().estimate();
    Estimate accNorm = score.accNorm().estimate();
    table.row(
        score.name(),
        "%,d".formatted(score.items()),
        figure(acc.mean()),
        figure(acc.standardError()),
        figure(accNorm.mean()),
        figure(accNorm.standardError()),
        averaged);
  }

  private String average() {
    Estimate average = scores.average();
    return "average %s +- %s over %d tasks: %s%n"
        .formatted(
            figure(average.mean()),
            figure(average.standardError()),
            scores.tasks().size(),
            Arrays.stream(Metric.values())
                .filter(metric -> !names(metric).isEmpty())
                .map(metric -> metric + " of " + names(metric))
                .collect(Collectors.joining("; ")));
  }

  private String names(Metric metric) {
    return scores.tasks().stream()
        .filter(task -> task.counted() == metric)
        .map(TaskScore::name)
        .collect(Collectors.joining(", "));
  }

  private static String figure(double part) {
    return "%.4f".formatted(part);
  }

  /**
   * For programs. Figures are parts of 1; standard errors are by bootstrap, closed ones as
   * lm-evaluation-harness prints them, null of one item:
   *
   * <pre>{@code
   * {"tasks": [{"task", "items", "averaged",
   *             "acc": {"right", "value", "standardError", "closedError"}, "acc_norm": {...}}],
   *  "mmluSubjects": [...], "average": {"value", "standardError", "tasks"}}
   * }</pre>
   */
  @Override
  public Fields json() {
    Estimate average = scores.average();
    return new Fields()
        .with("tasks", scores.tasks().stream().map(TaskReport::json).toList())
        .with("mmluSubjects", scores.subjects().stream().map(TaskReport::json).toList())
        .with(
            "average",
            new Fields()
                .with("value", average.mean())
                .with("standardError", average.standardError())
                .with("tasks", scores.tasks().size()));
  }

  private static Fields json(TaskScore task) {
    return new Fields()
        .with("task", task.name())
        .with("items", task.items())
        .with("averaged", task.counted())
        .with("acc", json(task.acc()))
        .with("acc_norm", json(task.accNorm()));
  }

  private static Fields json(Tally tally) {
    return new Fields()
        .with("right", tally.right())
        .with("value", tally.accuracy())
        .with("standardError", tally.estimate().standardError())
        .with("closedError", tally.closedError());
  }
}
