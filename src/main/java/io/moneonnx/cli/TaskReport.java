package io.moneonnx.cli;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.eval.Estimate;
import io.moneonnx.eval.Metric;
import io.moneonnx.eval.Tally;
import io.moneonnx.eval.TaskScore;
import io.moneonnx.eval.TaskScores;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** How a model did at each task, the subjects of MMLU as well, and what the average counts. */
record TaskReport(TaskScores scores) {
  String text() {
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
  String json() throws IOException {
    StringWriter text = new StringWriter();
    JsonWriter json = new JsonWriter(text);
    json.setIndent("  ");
    json.beginObject();
    tasks(json.name("tasks"), scores.tasks());
    tasks(json.name("mmluSubjects"), scores.subjects());
    Estimate average = scores.average();
    json.name("average").beginObject();
    json.name("value").value(average.mean());
    json.name("standardError").value(average.standardError());
    json.name("tasks").value(scores.tasks().size());
    json.endObject();
    json.endObject();
    return text.append('\n').toString();
  }

  private static void tasks(JsonWriter json, List<TaskScore> tasks) throws IOException {
    json.beginArray();
    for (TaskScore task : tasks) {
      json.beginObject();
      json.name("task").value(task.name());
      json.name("items").value(task.items());
      json.name("averaged").value(task.counted().toString());
      tally(json.name("acc"), task.acc());
      tally(json.name("acc_norm"), task.accNorm());
      json.endObject();
    }
    json.endArray();
  }

  private static void tally(JsonWriter json, Tally tally) throws IOException {
    json.beginObject();
    json.name("right").value(tally.right());
    json.name("value").value(tally.accuracy());
    json.name("standardError").value(tally.estimate().standardError());
    json.name("closedError").value(Finite.orNull(tally.closedError()));
    json.endObject();
  }
}
