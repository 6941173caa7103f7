package io.moneonnx.cli;

import io.moneonnx.pipeline.Output;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.PlanFile;
import io.moneonnx.plan.Planner;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.ProfileFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "plan",
    mixinStandardHelpOptions = true,
    description = "Decides from a profile which experts go. The plan is JSON that can be edited.")
final class PlanCommand implements Callable<Integer> {
  @Parameters(paramLabel = "PROFILE", description = "A profile that calibrate wrote.")
  private Path profile;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "PLAN",
      required = true,
      description = "The plan to write.")
  private Path output;

  @Option(names = "--force", description = "Replace a file that is there already.")
  private boolean force;

  @Mixin private BudgetOptions budget;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Output.check(output, force, List.of(profile));
    Profile measured = ProfileFile.read(profile);
    Plan plan = Planner.plan(measured, budget.goal());
    PlanFile.write(plan, output);
    PrintWriter out = spec.commandLine().getOut();
    Table table = new Table("block", "experts", "pruned", "which");
    plan.blocks()
        .forEach(
            block ->
                table.row(block.name(), block.experts(), block.pruned().size(), block.pruned()));
    out.print(table);
    out.println(output);
    out.flush();
    return ExitCode.DONE;
  }
}
