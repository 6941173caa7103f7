package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Refusal;
import io.moneonnx.moe.Target;
import io.moneonnx.pipeline.Prune;
import io.moneonnx.pipeline.Rewrite;
import io.moneonnx.pipeline.Subject;
import io.moneonnx.plan.Forecast;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Stability;
import io.moneonnx.rewrite.Change;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.Drift;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
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

  /** Where the weights go; chosen by size and input if neither is given. */
  private static final class Weights {
    @Option(names = "--inline", description = "Write all weights into the model file.")
    private boolean inline;

    @Option(names = "--external", description = "Write the weights to OUT.data.")
    private boolean external;

    Optional<Placement> placement() {
      if (inline) {
        return Optional.of(Placement.INLINE);
      }
      return external ? Optional.of(Placement.EXTERNAL) : Optional.empty();
    }
  }

  @Option(names = "--no-verify", description = "Do not prove the rewritten model.")
  private boolean unverified;

  @Option(names = "--force", description = "Replace files that are there already.")
  private boolean force;

  @Mixin private BudgetOptions budget;
  @Mixin private DataOptions data;
  @Mixin private RunSettings run;
  @Mixin private TargetOption target;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    checkOptions();
    Terminal terminal = new Terminal();
    RunOptions options = run.options(terminal);
    print(new Prune(options, terminal).run(request(target.or(options.device()))));
    return ExitCode.DONE;
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
        !unverified);
  }

  private Prune.Choice choice() {
    return plan == null
        ? new Prune.Choice.Planned(budget.goal())
        : new Prune.Choice.Given(plan, budget.novice());
  }

  private void checkOptions() {
    if (plan != null && !budget.given().isEmpty()) {
      throw new BadInputException(
          "--plan says which experts go; leave out " + String.join(", ", budget.given()));
    }
    if (profile != null && !data.given().isEmpty()) {
      throw new BadInputException(
          "--profile holds what was measured; leave out " + String.join(", ", data.given()));
    }
    budget.goal();
  }

  private void print(Prune.Result result) {
    Subject subject = result.subject();
    Rewrite.Report report = result.report();
    PrintWriter out = spec.commandLine().getOut();
    Table table = new Table("block", "experts", "kept", done(report));
    for (MoeBlock block : subject.blocks()) {
      if (result.profile().block(block.name()).isEmpty()) {
        out.println("refused  " + block.name() + ": its outputs are not what its experts put out");
        continue;
      }
      Change change = report.changes().get(block.name());
      int gone = change == null ? 0 : change.experts().size();
      table.row(block.name(), block.experts(), block.experts() - gone, gone);
    }
    out.print(table);
    for (Refusal refusal : subject.findings().refusals()) {
      out.println("refused  " + refusal.where() + ": " + refusal.reason());
    }
    out.println("forecast " + forecast(result));
    out.printf(
        "size     %,d -> %,d bytes (%.1f%%)%n",
        report.bytesBefore(),
        report.written().bytes(),
        100.0 * report.written().bytes() / report.bytesBefore());
    if (report.verdict().isPresent()) {
      out.println("proof    " + report.verdict().get().text());
    } else {
      out.println("proof    left out (--no-verify)");
    }
    report.drift().ifPresent(drift -> print(out, drift, report.driftOn()));
    report.written().files().forEach(file -> out.println("written  " + file));
    out.flush();
  }

  private String forecast(Prune.Result result) {
    double share = Forecast.of(result.profile(), result.plan(), Novice.MEAN).share();
    String met = PlanReport.percent(share) + " of the routed calls meet a pruned expert";
    return plan == null
        ? Stability.of(result.profile(), budget.goal())
            .map(
                known ->
                    met
                        + "; "
                        + (known.count() == 1
                            ? "1 decision hangs"
                            : known.count() + " decisions hang")
                        + " on one shard of the data")
            .orElse(met)
        : met;
  }

  private static String done(Rewrite.Report report) {
    return report.changes().values().iterator().next().done();
  }

  private static void print(PrintWriter out, Drift drift, String on) {
    drift
        .outputs()
        .forEach(
            (name, moved) ->
                out.printf(
                    "moved    %s by %.3g relative, on %s%n", name, moved.relativeError(), on));
    drift
        .predictions()
        .ifPresent(
            tokens ->
                out.printf(
                    "         KL divergence %.4f nats, same first token at %.1f%% of %,d positions%n",
                    tokens.divergence(), 100 * tokens.agreement(), tokens.positions()));
  }
}
