package io.moneonnx.cli;

import io.moneonnx.plan.Novice;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that say what a pruned model must be. */
final class ExactOptions {
  @SuppressWarnings("UnusedVariable") // that these options are there says it
  @Option(
      names = "--exact",
      required = true,
      description =
          "Prove that PRUNED is what the plan and the profile say: the original in which the outputs"
              + " of pruned experts are overwritten by novices from the profile, or in which they"
              + " are never chosen where the plan cuts the router. Tried on synthetic choices and tokens, and"
              + " on up to 256 tokens of the first sequence of the data.")
  private boolean exact;

  @Option(
      names = "--plan",
      required = true,
      description = "With --exact: the plan that the model was pruned by.")
  private Path plan;

  @Option(
      names = "--profile",
      required = true,
      description = "With --exact: the profile that the novices come from.")
  private Path profile;

  @Option(
      names = "--novice",
      description =
          "With --exact: what stands in for an expert, where the plan does not say:"
              + " ${COMPLETION-CANDIDATES} (default: mean).")
  private Novice novice;

  @Option(
      names = "--refit",
      paramLabel = "FILE",
      description =
          "With --exact: the down projections that 'rewrite --refit' wrote beside the model,"
              + " PRUNED.refit, in place of those that the profile comes to.")
  private Path refit;

  Path plan() {
    return plan;
  }

  Path profile() {
    return profile;
  }

  Optional<Path> refit() {
    return Optional.ofNullable(refit);
  }

  Optional<Novice> novice() {
    return Optional.ofNullable(novice);
  }
}
