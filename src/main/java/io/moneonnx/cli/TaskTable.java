package io.moneonnx.cli;

import io.moneonnx.eval.Estimate;
import io.moneonnx.eval.Metric;
import io.moneonnx.eval.TaskScore;
import io.moneonnx.eval.TaskScores;
import java.util.List;
import java.util.stream.Collectors;

/** Tasks line by line, those that are part of MMLU before it, and what their average counts. */
record TaskTable(TaskScores scores) {
  @Override
  public String toString() {
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
            List.of(Metric.values()).stream()
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
}
