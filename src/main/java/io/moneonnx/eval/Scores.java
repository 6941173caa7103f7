package io.moneonnx.eval;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How well a model foresees several sets of test data, of which each counts alike.
 *
 * @param tests by name, at least one
 */
public record Scores(Map<String, Losses> tests) {
  public Scores {
    tests = Collections.unmodifiableMap(new LinkedHashMap<>(tests));
  }

  /** Nats per token. */
  public double loss() {
    return tests.values().stream().mapToDouble(Losses::mean).average().orElseThrow();
  }

  /** Next-token accuracy. */
  public double accuracy() {
    return tests.values().stream().mapToDouble(Losses::accuracy).average().orElseThrow();
  }

  /** How much more is lost than by another model on the same data, pair by pair. */
  public Estimate above(Scores other) {
    return Estimate.mean(
        tests.entrySet().stream()
            .map(test -> test.getValue().above(other.tests.get(test.getKey())))
            .toList());
  }
}
