package io.moneonnx.cli;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.eval.Estimate;
import io.moneonnx.eval.Tally;
import io.moneonnx.eval.TaskScore;
import io.moneonnx.eval.TaskScores;
import java.io.IOException;
import java.util.List;

/**
 * Tasks for programs. Figures are parts of 1; standard errors are by bootstrap, {@code closed} ones
 * as lm-evaluation-harness prints them, null of one item:
 *
 * <pre>{@code
 * {"tasks": [{"name", "items", "counted",
 *             "acc": {"right", "value", "stderr", "closed_stderr"}, "acc_norm": {...}}],
 *  "mmlu_subjects": [...], "average": {"value", "stderr", "tasks"}}
 * }</pre>
 */
record TaskJson(TaskScores scores) {
  void writeTo(JsonWriter json) throws IOException {
    json.beginObject();
    tasks(json.name("tasks"), scores.tasks());
    tasks(json.name("mmlu_subjects"), scores.subjects());
    Estimate average = scores.average();
    json.name("average").beginObject();
    json.name("value").value(average.mean());
    json.name("stderr").value(average.standardError());
    json.name("tasks").value(scores.tasks().size());
    json.endObject();
    json.endObject();
  }

  private static void tasks(JsonWriter json, List<TaskScore> tasks) throws IOException {
    json.beginArray();
    for (TaskScore task : tasks) {
      json.beginObject();
      json.name("name").value(task.name());
      json.name("items").value(task.items());
      json.name("counted").value(task.counted().toString());
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
    json.name("stderr").value(tally.estimate().standardError());
    json.name("closed_stderr");
    if (tally.items() > 1) {
      json.value(tally.closedError());
    } else {
      json.nullValue();
    }
    json.endObject();
  }
}
