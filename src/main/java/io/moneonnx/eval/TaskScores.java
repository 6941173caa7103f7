package io.moneonnx.eval;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How a model did at several tasks, counted as answers come in. */
public final class TaskScores {
  private static final String MMLU = "mmlu";
  private static final String SUBJECT = "mmlu_";

  private final Map<String, TaskScore> groups = new LinkedHashMap<>();

  public void add(Answer answer) {
    String group = answer.item().group();
    groups.put(group, groups.getOrDefault(group, TaskScore.none(group)).plus(answer));
  }

  /** What is part of a task: the subjects of MMLU, in the order of their first items. */
  public List<TaskScore> subjects() {
    return groups.values().stream().filter(score -> score.name().startsWith(SUBJECT)).toList();
  }

  /** One a task, in the order of their first items; all of MMLU is one, each item counted alike. */
  public List<TaskScore> tasks() {
    Map<String, TaskScore> tasks = new LinkedHashMap<>();
    for (TaskScore score : groups.values()) {
      String task = score.name().startsWith(SUBJECT) ? MMLU : score.name();
      tasks.put(task, tasks.getOrDefault(task, TaskScore.none(task)).plus(score));
    }
    return new ArrayList<>(tasks.values());
  }

  /** The mean over tasks, each counted alike, of the figure that counts. */
  public Estimate average() {
    return Estimate.mean(tasks().stream().map(task -> task.countedTally().estimate()).toList());
  }
}
