package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.io.Placement;
import io.moneonnx.io.Written;
import io.moneonnx.moe.Target;
import io.moneonnx.pipeline.NothingToDoException;
import io.moneonnx.pipeline.Pack;
import io.moneonnx.pipeline.Prune;
import io.moneonnx.pipeline.Search;
import io.moneonnx.run.RunOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "rewrite",
    mixinStandardHelpOptions = true,
    description =
        "Writes a smaller model in which redundant experts are replaced by novices. "
            + "Calibrates and plans where no profile and no plan are given.")
final class RewriteCommand implements Callable<Integer> {
  private static final Set<String> PACKING =
      Set.of("--pack", "--output", "--inline", "--external", "--force", "--debug");

  @Parameters(paramLabel = "MODEL", description = "An ONNX file, or a folder with one in it.")
  private Path model;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "OUT",
      description =
          "The model to write (default: MODEL with .mone.onnx for .onnx). Where MODEL is a folder,"
              + " a folder, with all that lies there (default: MODEL.mone).")
  private Path output;

  @Option(names = "--profile", description = "A profile of this model, instead of calibrating.")
  private Path profile;

  @Option(names = "--plan", description = "A plan for this model, instead of planning.")
  private Path plan;

  @ArgGroup private Weights weights = new Weights();

  /** Where the weights go; chosen by size and input if none is given. */
  private static final class Weights {
    @Option(names = "--inline", description = "Write all weights into the model file.")
    private boolean inline;

    @Option(names = "--external", description = "Write the weights to OUT.data.")
    private boolean external;

    @Option(
        names = "--link",
        description =
            "Leave weights in MODEL's data files, and write only what is new or has to move. "
                + "OUT then needs those files; --pack makes it whole. In another folder they are hard "
                + "links: ONNX Runtime reads those, but Python's onnx from 1.21 on reads no data file "
                + "that has one, not even for MODEL.")
    private boolean linked;

    Optional<Placement> placement() {
      if (inline) {
        return Optional.of(Placement.INLINE);
      } else if (linked) {
        return Optional.of(Placement.LINKED);
      }
      return external ? Optional.of(Placement.EXTERNAL) : Optional.empty();
    }
  }

  @Option(
      names = "--pack",
      description =
          "Change nothing, but copy MODEL with all weights that it refers to and nothing else to OUT.")
  private boolean pack;

  @Option(names = "--no-verify", description = "Do not prove the rewritten model.")
  private boolean unverified;

  @Option(names = "--force", description = "Replace files that are there already.")
  private boolean force;

  @Option(
      names = "--also",
      paramLabel = "MODEL=SRC",
      description =
          "Rewrite another model of the folder too, with experts of its own, such as a draft head:"
              + " calibrated on SRC (.npz arrays named like its inputs, or text), by a plan of its"
              + " own within the same budget. Once for each model and source; left alone otherwise.")
  private List<String> also = List.of();

  @Mixin private BudgetOptions budget;
  @Mixin private SearchOptions search;
  @Mixin private RefitOptions refit;
  @Mixin private DataOptions data;
  @Mixin private RunSettings run;
  @Mixin private TargetOption target;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (pack) {
      return pack();
    }
    checkOptions();
    Terminal terminal = new Terminal();
    RunOptions options = run.options(terminal);
    Prune.Outcome outcome = new Prune(options, terminal).run(request(target.or(options.device())));
    if (outcome instanceof Prune.NoneWithin none) {
      throw nothingWithin(none.found());
    }
    PrintWriter out = spec.commandLine().getOut();
    out.print(new RewriteReport((Prune.Result) outcome));
    out.flush();
    return ExitCode.DONE;
  }

  private int pack() throws IOException {
    checkPacking();
    Written written = Pack.run(model, output, weights.placement(), force, new Terminal());
    PrintWriter out = spec.commandLine().getOut();
    out.printf("size     %,d bytes%n", written.bytes());
    written.files().forEach(file -> out.printf("written  %s%n", file));
    out.flush();
    return ExitCode.DONE;
  }

  private void checkPacking() {
    List<String> others =
        spec.commandLine().getParseResult().matchedOptionsSet().stream()
            .map(OptionSpec::longestName)
            .filter(name -> !PACKING.contains(name))
            .toList();
    if (!others.isEmpty()) {
      throw new BadInputException(
          "--pack copies a model as it is; leave out " + String.join(", ", others));
    } else if (output == null) {
      throw new BadInputException("--pack: found no -o, expected the model to write");
    }
  }

  /** What was tried is a result, though nothing is written. */
  private NothingToDoException nothingWithin(Search.Found found) {
    PrintWriter out = spec.commandLine().getOut();
    out.print(new TrialTable(found));
    out.flush();
    return new NothingToDoException(
        "%s: no ratio keeps to %s %s; nothing was written"
            .formatted(model, SearchOptions.LIMIT, TrialTable.percent(found.limit())));
  }

  private Prune.Request request(Target target) {
    return new Prune.Request(
        model,
        target,
        Optional.ofNullable(output),
        Optional.ofNullable(profile),
        data.request(),
        choice(),
        weights.placement(),
        force,
        !unverified,
        refit.tokens(),
        also);
  }

  private Prune.Choice choice() {
    if (search.isAsked()) {
      return search.choice(budget, data.reading());
    }
    return plan == null
        ? new Prune.Choice.Planned(budget.goal())
        : new Prune.Choice.Given(plan, budget.novice());
  }

  private void checkOptions() {
    search.check();
    List<String> deciding = new ArrayList<>(search.given());
    deciding.addAll(budget.given());
    if (plan != null && !deciding.isEmpty()) {
      throw new BadInputException(
          "--plan says which experts go; leave out " + String.join(", ", deciding));
    }
    List<String> measuring = search.isAsked() ? data.measuring() : data.given();
    boolean isRead = refit.tokens().isPresent();
    if (profile != null && !measuring.isEmpty() && !isRead) {
      throw new BadInputException(
          "--profile holds what was measured; leave out " + String.join(", ", measuring));
    }
    choice();
  }
}
