package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** The options that have the experts of narrowed models re-fitted jointly. */
final class RefitOptions {
  private static final int TOKENS = 32_768;

  @Option(
      names = "--refit",
      description =
          "With --method narrow: re-fit the down projections of all experts of a block together, block"
              + " after block, to what the residual stream of the narrowed model lacks. Needs --data,"
              + " besides --profile too.")
  private boolean refit;

  @Option(
      names = "--refit-tokens",
      paramLabel = "N",
      description =
          "With --refit: tokens to fit on, spread evenly over all data (default: " + TOKENS + ").")
  private Integer tokens;

  /** How many tokens to fit on; empty if nothing is re-fitted jointly. */
  OptionalInt tokens() {
    if (tokens != null && !refit) {
      throw new BadInputException("--refit-tokens requires --refit");
    } else if (tokens != null && tokens < 1) {
      throw new BadInputException("--refit-tokens: found %d, expected 1 or more".formatted(tokens));
    }
    return refit ? OptionalInt.of(tokens == null ? TOKENS : tokens) : OptionalInt.empty();
  }
}
