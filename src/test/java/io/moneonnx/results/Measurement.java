package io.moneonnx.results;

import io.moneonnx.eval.Estimate;
import java.util.Locale;
import java.util.Optional;

/**
 * What was measured of a cell.
 *
 * @param loss nats per token, mean of both test sets
 * @param right next-token accuracy, mean of both test sets
 * @param increaseA over the unpruned model, on test set A
 * @param increaseB the same on B
 * @param increase mean of both, with its paired standard error
 * @param behind increase over what the default criterion and novice cost, window by window
 * @param reference what PyTorch measured, where it did
 */
record Measurement(
    String model,
    Cell cell,
    double loss,
    double right,
    Estimate increaseA,
    Estimate increaseB,
    Estimate increase,
    Estimate behind,
    Optional<Reference.Row> reference) {
  static final String HEAD =
      String.join(
          "\t",
          "model",
          "calibrated on",
          "tokens",
          "criterion",
          "treatment",
          "scope",
          "ratio",
          "seed",
          "loss",
          "right",
          "increase A",
          "error A",
          "increase B",
          "error B",
          "increase",
          "error",
          "behind mone",
          "error behind",
          "reference A",
          "reference B",
          "off A",
          "off B");

  /** The larger of the differences from the reference on both test sets. */
  double off() {
    return reference
        .map(
            row ->
                Math.max(
                    Math.abs(increaseA.mean() - row.increaseA()),
                    Math.abs(increaseB.mean() - row.increaseB())))
        .orElse(0.0);
  }

  /** A line of tab-separated values under {@link #HEAD}. */
  String line() {
    return String.join(
        "\t",
        model,
        cell.source(),
        cell.size(),
        cell.criterion(),
        cell.treatment(),
        cell.scope(),
        cell.ratio(),
        Long.toString(cell.seed()),
        number(loss),
        number(right),
        number(increaseA.mean()),
        number(increaseA.standardError()),
        number(increaseB.mean()),
        number(increaseB.standardError()),
        number(increase.mean()),
        number(increase.standardError()),
        number(behind.mean()),
        number(behind.standardError()),
        reference.map(row -> number(row.increaseA())).orElse(""),
        reference.map(row -> number(row.increaseB())).orElse(""),
        reference.map(row -> number(increaseA.mean() - row.increaseA())).orElse(""),
        reference.map(row -> number(increaseB.mean() - row.increaseB())).orElse(""));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.6f", value);
  }
}
