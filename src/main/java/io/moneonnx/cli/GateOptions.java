package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.verify.Gate;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** The options that say how far a pruned model may be from the original. */
final class GateOptions {
  @Option(
      names = "--max-kl",
      paramLabel = "NATS",
      description = "The mean KL divergence is at most this.")
  private Double maxKl;

  @Option(
      names = "--min-top1",
      paramLabel = "PART",
      description = "Both put the same token first in at least this part, such as 99%%.")
  private Fraction minTop1;

  @Option(
      names = "--max-ppl-increase",
      paramLabel = "PART",
      description = "Perplexity grows by at most this part of itself, such as 2%%.")
  private Fraction maxIncrease;

  @Option(
      names = "--max-relative-error",
      paramLabel = "X",
      description = "The relative error of every output is at most this.")
  private Double maxError;

  /** The options that were given. */
  List<String> given() {
    List<String> given = new ArrayList<>();
    if (maxKl != null) {
      given.add("--max-kl");
    }
    if (minTop1 != null) {
      given.add("--min-top1");
    }
    if (maxIncrease != null) {
      given.add("--max-ppl-increase");
    }
    if (maxError != null) {
      given.add("--max-relative-error");
    }
    return given;
  }

  List<Gate> gates() {
    List<Gate> gates = new ArrayList<>();
    if (maxKl != null) {
      gates.add(gate(Gate.Measure.DIVERGENCE, "--max-kl", maxKl, Double.MAX_VALUE));
    }
    if (minTop1 != null) {
      gates.add(gate(Gate.Measure.AGREEMENT, "--min-top1", minTop1.value(), 1));
    }
    if (maxIncrease != null) {
      gates.add(
          gate(Gate.Measure.INCREASE, "--max-ppl-increase", maxIncrease.value(), Double.MAX_VALUE));
    }
    if (maxError != null) {
      gates.add(gate(Gate.Measure.ERROR, "--max-relative-error", maxError, Double.MAX_VALUE));
    }
    return gates;
  }

  private static Gate gate(Gate.Measure measure, String option, double bound, double most) {
    if (!(bound >= 0 && bound <= most)) {
      throw new BadInputException(
          most == 1
              ? "%s: found %s, wanted a part from 0 to 1, such as 0.99 or 99%%"
                  .formatted(option, bound)
              : "%s: found %s, wanted a number from 0".formatted(option, bound));
    }
    return new Gate(measure, bound);
  }
}
