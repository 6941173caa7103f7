package io.moneonnx.cli;

import io.moneonnx.eval.Estimate;
import io.moneonnx.eval.Losses;
import io.moneonnx.eval.Scores;
import io.moneonnx.pipeline.Compare;
import io.moneonnx.plan.Amount;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.NarrowTerms;
import io.moneonnx.plan.Normalisation;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Scope;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What plans cost, the cheapest first; plans that prune as much stand together. */
final class CostTable {
  private final Scores unpruned;
  private final Map<Amount, List<Compare.Cost>> costs = new LinkedHashMap<>();

  CostTable(Compare.Result result) {
    unpruned = result.unpruned();
    for (Compare.Cost cost : result.costs()) {
      costs.computeIfAbsent(cost.goal().amount(), amount -> new ArrayList<>()).add(cost);
    }
    Comparator<Compare.Cost> cheapest = Comparator.comparingDouble(cost -> cost.scores().loss());
    costs.values().forEach(alike -> alike.sort(cheapest));
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    unpruned.tests().forEach((name, losses) -> text.append(unpruned(name, losses)));
    costs.forEach((amount, alike) -> append(text, amount, alike));
    return text.toString();
  }

  private static String unpruned(String name, Losses losses) {
    return "%s: unpruned %.4f nats per token, %.2f%% right, %,d sequences%n"
        .formatted(name, losses.mean(), 100 * losses.accuracy(), losses.nats().size());
  }

  private void append(StringBuilder text, Amount amount, List<Compare.Cost> alike) {
    Compare.Cost first = alike.get(0);
    List<Object> head = new ArrayList<>(List.of("criterion", "scope", "novice", "router"));
    if (unpruned.tests().size() > 1) {
      head.addAll(unpruned.tests().keySet());
    }
    head.addAll(List.of("loss", "increase", "error", "right", ""));
    Table table = new Table(head.toArray());
    long close = 0;
    for (Compare.Cost cost : alike) {
      boolean mayBeChance =
          !cost.equals(first) && cost.scores().above(first.scores()).mayBeChance();
      List<Object> cells = row(cost);
      cells.add(mayBeChance ? "~" : "");
      table.row(cells.toArray());
      close += mayBeChance ? 1 : 0;
    }
    text.append("%n%s%n%s".formatted(amount, table));
    text.append("least  %s%n".formatted(words(first)));
    if (close > 0) {
      text.append("~      may as well be chance: %s%n".formatted(why(close, first)));
    }
  }

  private String why(long close, Compare.Cost first) {
    return Double.isFinite(first.scores().above(unpruned).standardError())
        ? "%d above it by less than %.0f standard errors of the difference"
            .formatted(close, Estimate.ERRORS)
        : "a single sequence has no standard error";
  }

  private List<Object> row(Compare.Cost cost) {
    Goal goal = cost.goal();
    List<Object> cells = new ArrayList<>();
    cells.add(goal.narrow().isPresent() ? narrow(cost) : goal.criterion().name());
    cells.add(scope(goal.scope()));
    cells.add(goal.router() == Plan.Router.CUT ? "none" : goal.novice());
    cells.add(goal.router());
    if (unpruned.tests().size() > 1) {
      unpruned
          .tests()
          .forEach(
              (name, losses) -> cells.add(increase(cost.scores().tests().get(name).above(losses))));
    }
    Estimate above = cost.scores().above(unpruned);
    cells.add("%.4f".formatted(cost.scores().loss()));
    cells.add(increase(above));
    cells.add(
        Double.isFinite(above.standardError()) ? "%.4f".formatted(above.standardError()) : "-");
    cells.add("%.2f%%".formatted(100 * cost.scores().accuracy()));
    return cells;
  }

  private static String narrow(Compare.Cost cost) {
    return cost.isRefitted() ? "narrow, refit" : "narrow";
  }

  private static String increase(Estimate above) {
    return "%+.4f".formatted(above.mean());
  }

  /** {@code layer}, {@code model}, or {@code model/block} where scores were divided. */
  private static String scope(Scope scope) {
    if (scope instanceof Scope.Model model) {
      return model.normalisation() == Normalisation.NONE
          ? "model"
          : "model/" + model.normalisation();
    }
    return "layer";
  }

  /** As it is asked for on a command line. */
  private static String words(Compare.Cost cost) {
    Goal goal = cost.goal();
    String novice = goal.router() == Plan.Router.CUT ? "" : ", novice " + goal.novice();
    String words =
        "%s, %s, router %s%s%s"
            .formatted(
                goal.narrow()
                    .map(NarrowTerms::toString)
                    .orElse("criterion " + goal.criterion().description()),
                goal.scope(),
                goal.router(),
                novice,
                goal.limits());
    return "--" + words.replace(", ", " --") + (cost.isRefitted() ? " --refit" : "");
  }
}
