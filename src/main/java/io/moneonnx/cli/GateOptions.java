package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.verify.Gate;
import java.util.List;
import java.util.stream.Stream;
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
    return asked().stream().map(Asked::option).toList();
  }

  /**
   * The bounds that were given.
   *
   * @throws BadInputException if one of them is out of its range
   */
  List<Gate> gates() {
    return asked().stream().map(Asked::gate).toList();
  }

  private record Asked(String option, Gate.Measure measure, Double bound, double most) {
    Gate gate() {
      if (!(bound >= 0 && bound <= most)) {
        throw new BadInputException(
            most == 1
                ? "%s: found %s, expected a part from 0 to 1, such as 0.99 or 99%%"
                    .formatted(option, bound)
                : "%s: found %s, expected a number from 0".formatted(option, bound));
      }
      return new Gate(measure, bound);
    }
  }

  private List<Asked> asked() {
    double most = Double.MAX_VALUE;
    return Stream.of(
            new Asked("--max-kl", Gate.Measure.DIVERGENCE, maxKl, most),
            new Asked("--min-top1", Gate.Measure.AGREEMENT, part(minTop1), 1),
            new Asked("--max-ppl-increase", Gate.Measure.INCREASE, part(maxIncrease), most),
            new Asked("--max-relative-error", Gate.Measure.ERROR, maxError, most))
        .filter(asked -> asked.bound() != null)
        .toList();
  }

  private static Double part(Fraction part) {
    return part == null ? null : part.value();
  }
}
