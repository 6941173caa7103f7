package io.moneonnx.verify;

import io.moneonnx.graph.BadInputException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Map;
import java.util.Optional;

/** A bound that a pruned model must keep, on all data and on those of each tag. */
public record Gate(Measure measure, double bound) {
  private static final MathContext DIGITS = new MathContext(6);

  /** What is bounded. */
  public enum Measure {
    /** The mean KL divergence, in nats. */
    DIVERGENCE("mean KL divergence", " nats", true, true) {
      @Override
      Optional<Double> in(Drift drift) {
        return drift.predictions().map(Predictions::divergence);
      }
    },

    /** The share of positions at which both models put the same token first. */
    AGREEMENT("same first token", "%", true, false) {
      @Override
      Optional<Double> in(Drift drift) {
        return drift.predictions().map(Predictions::agreement);
      }
    },

    /** By which part of itself perplexity grows. */
    INCREASE("perplexity increase", "%", true, true) {
      @Override
      Optional<Double> in(Drift drift) {
        return drift
            .predictions()
            .flatMap(Predictions::perplexities)
            .map(Predictions.Perplexities::increase);
      }
    },

    /** The largest relative error of an output. */
    ERROR("relative error", "", false, true) {
      @Override
      Optional<Double> in(Drift drift) {
        return worst(drift).map(output -> output.getValue().relativeError());
      }

      @Override
      String what(Drift drift) {
        return worst(drift)
            .map(output -> "%s of output '%s'".formatted(this, output.getKey()))
            .orElseThrow();
      }
    };

    private final String text;
    private final String unit;
    private final boolean needsLogits;
    private final boolean isUpper;

    Measure(String text, String unit, boolean needsLogits, boolean isUpper) {
      this.text = text;
      this.unit = unit;
      this.needsLogits = needsLogits;
      this.isUpper = isUpper;
    }

    /** True of one that only language models have. */
    public boolean needsLogits() {
      return needsLogits;
    }

    abstract Optional<Double> in(Drift drift);

    String what(Drift drift) {
      return text;
    }

    private String text(double value) {
      double shown = unit.equals("%") ? 100 * value : value;
      return new BigDecimal(shown).round(DIGITS).stripTrailingZeros().toPlainString() + unit;
    }

    private boolean holds(double value, double bound) {
      return isUpper ? value <= bound : value >= bound;
    }

    private static Optional<Map.Entry<String, Distance>> worst(Drift drift) {
      return drift.outputs().entrySet().stream()
          .reduce(
              (one, other) ->
                  other.getValue().relativeError() > one.getValue().relativeError() ? other : one);
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /**
   * Whether a gate holds.
   *
   * @param what was measured
   * @param where it was: {@code total}, or a tag
   * @param found not a number where it is not defined
   */
  public record Outcome(Gate gate, String what, String where, double found) {
    /** False also where nothing is defined that could hold. */
    public boolean holds() {
      return gate.measure.holds(found, gate.bound);
    }

    /** What was found and what was wanted, on one line. */
    public String text() {
      return "%s: %s: found %s, expected %s"
          .formatted(
              where,
              what,
              Double.isFinite(found) ? gate.measure.text(found) : "no finite number",
              gate.wanted());
    }
  }

  /** The bound in words. */
  public String wanted() {
    return (measure.isUpper ? "at most " : "at least ") + measure.text(bound);
  }

  /**
   * Asks whether it holds.
   *
   * @param where the drift was measured: {@code total}, or a tag
   * @throws BadInputException if the data there tell nothing about it
   */
  public Outcome check(String where, Drift drift) {
    double found =
        measure
            .in(drift)
            .orElseThrow(
                () ->
                    new BadInputException(
                        "%s: there is no %s to hold against a bound, for no token counts that could tell"
                            .formatted(where, measure)));
    return new Outcome(this, measure.what(drift), where, found);
  }
}
