package io.moneonnx.eval;

/**
 * How a model did at one task.
 *
 * @param name the group of its items
 * @param acc by likelihood
 * @param accNorm by likelihood per character
 */
public record TaskScore(String name, Tally acc, Tally accNorm) {
  static TaskScore none(String name) {
    return new TaskScore(name, new Tally(0, 0), new Tally(0, 0));
  }

  TaskScore plus(Answer answer) {
    return new TaskScore(name, acc.plus(answer.isRight()), accNorm.plus(answer.isRightByLength()));
  }

  TaskScore plus(TaskScore other) {
    return new TaskScore(name, acc.plus(other.acc), accNorm.plus(other.accNorm));
  }

  public int items() {
    return acc.items();
  }

  /** The figure that averages count. */
  public Metric counted() {
    return Metric.of(name);
  }

  /** The tally behind that figure. */
  public Tally countedTally() {
    return counted() == Metric.ACC ? acc : accNorm;
  }
}
