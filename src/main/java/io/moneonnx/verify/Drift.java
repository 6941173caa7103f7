package io.moneonnx.verify;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How far a pruned model is from the original on some data. Tokens that an attention mask hides do
 * not count in any of it.
 *
 * @param outputs by floating output
 * @param predictions of the next token; empty if the model makes none, or no token counts
 * @param blocks by block that is known in both models
 */
public record Drift(
    Map<String, Distance> outputs,
    Optional<Predictions> predictions,
    Map<String, BlockDrift> blocks) {
  public Drift {
    outputs = Collections.unmodifiableMap(new LinkedHashMap<>(outputs));
    blocks = Collections.unmodifiableMap(new LinkedHashMap<>(blocks));
  }

  /**
   * What one run of both models showed.
   *
   * @param positions those that count, in order
   */
  public record Run(
      Map<String, Distance> outputs, List<Position> positions, Map<String, BlockDrift> blocks) {}

  /** Of all blocks together; empty if none of them can tell. */
  public Optional<Calls> calls() {
    return blocks.values().stream()
        .map(BlockDrift::calls)
        .flatMap(Optional::stream)
        .reduce(Calls::plus);
  }

  /** Gathers drift run by run. */
  public static final class Meter {
    private final Map<String, Distance> outputs = new LinkedHashMap<>();
    private final Map<String, BlockDrift> blocks = new LinkedHashMap<>();
    private final Predictions.Meter predictions = new Predictions.Meter();

    public void add(Run run) {
      run.outputs().forEach((name, moved) -> outputs.merge(name, moved, Distance::plus));
      run.blocks().forEach((name, moved) -> blocks.merge(name, moved, BlockDrift::plus));
      predictions.add(run.positions());
    }

    public Drift drift() {
      return new Drift(outputs, predictions.predictions(), blocks);
    }
  }
}
