package io.moneonnx.results;

import io.moneonnx.eval.Estimate;
import io.moneonnx.eval.Scores;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What was measured of a cell.
 *
 * @param unpruned the model as it is
 * @param ordinary the default criterion and novice on the same calibration
 * @param reference what PyTorch measured, where it did
 */
record Measurement(
    String model,
    Cell cell,
    Scores scores,
    Scores unpruned,
    Scores ordinary,
    Optional<Reference.Row> reference) {
  private static final List<String> KEYS =
      List.of(
          "model", "calibrated_on", "tokens", "criterion", "treatment", "scope", "ratio", "seed");
  private static final List<String> NUMBERS =
      List.of(
          "loss",
          "right",
          "increase",
          "error",
          "behind_mone",
          "error_behind",
          "increase_A",
          "error_A",
          "increase_B",
          "error_B");
  private static final List<String> REFERENCE =
      List.of("reference_A", "reference_B", "off_A", "off_B");

  /** The names of columns. */
  static String head() {
    List<String> names = new ArrayList<>(KEYS);
    names.addAll(NUMBERS);
    names.addAll(REFERENCE);
    return String.join("\t", names);
  }

  /** How much more is lost than by the unpruned model. */
  Estimate increase() {
    return scores.above(unpruned);
  }

  /** The same on one of the test sets. */
  Estimate increase(String test) {
    return scores.tests().get(test).above(unpruned.tests().get(test));
  }

  /** The larger of the differences from the reference on both test sets. */
  double off() {
    return reference
        .map(row -> Math.max(Math.abs(off("A", row)), Math.abs(off("B", row))))
        .orElse(0.0);
  }

  private double off(String test, Reference.Row row) {
    return increase(test).mean() - (test.equals("A") ? row.increaseA() : row.increaseB());
  }

  /** Tab-separated values, see {@link #head}. */
  String line() {
    List<String> values = new ArrayList<>();
    values.add(model);
    values.addAll(List.of(cell.source(), cell.size(), cell.criterion(), cell.treatment()));
    values.addAll(List.of(cell.scope(), cell.ratio(), Long.toString(cell.seed())));
    add(values, scores.loss(), scores.accuracy());
    add(values, increase());
    add(values, scores.above(ordinary));
    add(values, increase("A"));
    add(values, increase("B"));
    if (reference.isPresent()) {
      Reference.Row row = reference.get();
      add(values, row.increaseA(), row.increaseB(), off("A", row), off("B", row));
    }
    return String.join("\t", values);
  }

  private static void add(List<String> values, Estimate estimate) {
    add(values, estimate.mean(), estimate.standardError());
  }

  private static void add(List<String> values, double... numbers) {
    for (double number : numbers) {
      values.add(String.format(Locale.ROOT, "%.6f", number));
    }
  }
}
