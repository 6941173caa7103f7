package io.moneonnx.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.data.ChoiceItem;
import java.util.List;
import org.junit.jupiter.api.Test;

class TaskScoresTest {
  /** Chooses 0; by length 1. */
  private static Answer answer(String group, int label) {
    return new Answer(
        new ChoiceItem("f:1", List.of("So", "So"), List.of("no", "certainly"), " ", label, group),
        List.of(-4.0, -9.0));
  }

  private static TaskScores scores(Answer... answers) {
    TaskScores scores = new TaskScores();
    List.of(answers).forEach(scores::add);
    return scores;
  }

  @Test
  void tasksComeInTheOrderOfTheirFirstItems() {
    TaskScores scores = scores(answer("b", 0), answer("a", 0), answer("b", 1));

    assertThat(scores.tasks())
        .containsExactly(
            new TaskScore("b", new Tally(2, 1), new Tally(2, 1)),
            new TaskScore("a", new Tally(1, 1), new Tally(1, 0)));
  }

  @Test
  void subjectsOfMmluAreOneTaskInWhichEachItemCountsAlike() {
    TaskScores scores =
        scores(
            answer("mmlu_law", 0), answer("mmlu_law", 0), answer("piqa", 1), answer("mmlu_art", 1));

    assertThat(scores.tasks())
        .containsExactly(
            new TaskScore("mmlu", new Tally(3, 2), new Tally(3, 1)),
            new TaskScore("piqa", new Tally(1, 0), new Tally(1, 1)));
    assertThat(scores.subjects())
        .extracting(TaskScore::name)
        .containsExactly("mmlu_law", "mmlu_art");
  }

  @Test
  void averagesCountOfEachTaskWhatThePaperPrints() {
    TaskScores scores =
        scores(answer("piqa", 1), answer("copa", 0), answer("arc_easy", 0), answer("mmlu_a", 1));

    assertThat(scores.tasks())
        .extracting(TaskScore::counted)
        .containsExactly(Metric.ACC_NORM, Metric.ACC, Metric.ACC_NORM, Metric.ACC);
    assertThat(scores.average().mean()).isEqualTo(0.5);
  }

  @Test
  void theErrorOfAnAverageIsThatOfIndependentTasks() {
    TaskScores scores = scores(answer("a", 0), answer("a", 1), answer("b", 0), answer("b", 1));

    double each = new Tally(2, 1).estimate().standardError();
    assertThat(scores.average().standardError())
        .isCloseTo(Math.sqrt(2 * each * each) / 2, within(1e-12));
  }
}
