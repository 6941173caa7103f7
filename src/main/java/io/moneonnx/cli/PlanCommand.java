package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.json.Fields;
import io.moneonnx.json.JsonText;
import io.moneonnx.pipeline.LoadedModel;
import io.moneonnx.pipeline.OrderNeurons;
import io.moneonnx.pipeline.Output;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.PlanFile;
import io.moneonnx.plan.Planner;
import io.moneonnx.plan.Ratio;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.ProfileFile;
import io.moneonnx.run.RunOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "plan",
    mixinStandardHelpOptions = true,
    description =
        "Decides from a profile which experts are pruned, and predicts what that costs. The plan is JSON"
            + " that can be edited.",
    footer = {
      "",
      "Columns: 'calls' is the part of the block's routed calls that meet a pruned expert; 'error'"
          + " is predicted, relative, of the block's routed output; 'margin' is by how much the"
          + " lowest kept expert scores above the highest pruned one, as a part of its score ('-' where"
          + " scores did not decide); 'which' lists the pruned"
          + " ones: 'unsure' ones are kept when one shard of the data is left out, and those after"
          + " 'or' are pruned instead.",
      "With --method narrow: 'whole', 'narrowed' and 'removed' count experts; 'smallest', 'median' and"
          + " 'largest' are the widths of those that stay, 'of' the full one. 'damage' is the predicted"
          + " sum of weighted errors by the percentage of the experts' bytes that goes, and 'knee'"
          + " where it starts to grow faster."
    })
final class PlanCommand implements Callable<Integer> {
  @Parameters(paramLabel = "PROFILE", description = "A profile that calibrate wrote.")
  private Path profile;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "PLAN",
      required = true,
      description =
          "The plan to write; of several ratios PLAN with the ratio before its ending:"
              + " plan-0.1.json for plan.json.")
  private Path output;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description =
          "The model, for --method narrow with a profile that holds moments but no order of neurons,"
              + " as merged ones do: the order is found from its weights.")
  private Path model;

  @Option(names = "--force", description = "Replace a file that is there already.")
  private boolean force;

  @Option(names = "--json", description = "Print what plans do and cost as JSON, a list of plans.")
  private boolean json;

  @Mixin private BudgetOptions budget;
  @Mixin private TargetOption target;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    List<Goal> goals = budget.goals();
    Terminal terminal = new Terminal();
    Output.check(output, true, List.of(profile), terminal);
    List<Path> files =
        goals.size() == 1 ? List.of(output) : goals.stream().map(this::file).toList();
    for (Path file : files) {
      Output.check(file, force, List.of(profile), terminal);
    }
    Profile measured = measured();
    List<Plan> plans = goals.stream().map(goal -> Planner.plan(measured, goal)).toList();
    for (int i = 0; i < plans.size(); i++) {
      PlanFile.write(plans.get(i), files.get(i));
    }
    List<PlanReport> reports =
        IntStream.range(0, plans.size())
            .mapToObj(i -> new PlanReport(measured, goals.get(i), plans.get(i)))
            .toList();
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      IntFunction<Fields> plan = i -> reports.get(i).json(files.get(i));
      out.print(JsonText.indented(IntStream.range(0, plans.size()).mapToObj(plan).toList()));
    } else if (plans.size() == 1) {
      out.print(reports.get(0).text());
      out.println("written  " + output);
    } else {
      out.print(table(plans, reports, files));
    }
    out.flush();
    return ExitCode.DONE;
  }

  private Profile measured() {
    Profile read = ProfileFile.read(profile);
    if (model == null) {
      return read;
    } else if (!budget.isNarrow()) {
      throw new BadInputException("--model requires --method narrow: nothing else needs the model");
    }
    Terminal terminal = new Terminal();
    LoadedModel subject = LoadedModel.open(model, target.or(RunOptions.cpu().device()));
    subject.requireProfile(read, profile);
    return new OrderNeurons(subject, RunOptions.cpu(), terminal).of(read);
  }

  /** {@code plan-0.1.json} for {@code plan.json}. */
  private Path file(Goal goal) {
    String name = output.getFileName().toString();
    int dot = name.lastIndexOf('.');
    String ratio = "-" + ((Ratio) goal.amount()).ratio().toPlainString();
    return output.resolveSibling(
        dot <= 0 ? name + ratio : name.substring(0, dot) + ratio + name.substring(dot));
  }

  private static Table table(List<Plan> plans, List<PlanReport> reports, List<Path> files) {
    Table table = new Table(row("ratio", reports.get(0).head(), "written"));
    for (int i = 0; i < plans.size(); i++) {
      table.row(row(plans.get(i).ratio().orElseThrow(), reports.get(i).summary(), files.get(i)));
    }
    return table;
  }

  private static Object[] row(Object first, Object[] middle, Object last) {
    List<Object> cells = new ArrayList<>();
    cells.add(first);
    Stream.of(middle).forEach(cells::add);
    cells.add(last);
    return cells.toArray();
  }
}
