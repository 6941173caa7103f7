package io.moneonnx.cli;

import io.moneonnx.eval.Estimate;
import io.moneonnx.eval.Losses;
import io.moneonnx.eval.Scores;
import io.moneonnx.pipeline.Compare;
import io.moneonnx.plan.Amount;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Scope;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What plans cost, the cheapest first; plans that prune as much stand together. */
final class CostTable {
  /** A difference of less than so many of its standard errors may be chance. */
  private static final double ERRORS = 2;

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
      boolean mayBeChance = !cost.equals(first) && isClose(cost, first);
      List<Object> cells = row(cost);
      cells.add(mayBeChance ? "~" : "");
      table.row(cells.toArray());
      close += mayBeChance ? 1 : 0;
    }
    text.append("%n%s%n%s".formatted(amount, table));
    text.append("least  %s%n".formatted(words(first.goal())));
    if (close > 0) {
      text.append(
          "~      may as well be chance: %d above it by less than %.0f standard errors of the difference%n"
              .formatted(close, ERRORS));
    }
  }

  private List<Object> row(Compare.Cost cost) {
    Goal goal = cost.goal();
    List<Object> cells = new ArrayList<>();
    cells.add(goal.criterion().name());
    cells.add(goal.scope() instanceof Scope.Layer ? "layer" : "model");
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

  private static String increase(Estimate above) {
    return "%+.4f".formatted(above.mean());
  }

  private static boolean isClose(Compare.Cost cost, Compare.Cost first) {
    Estimate above = cost.scores().above(first.scores());
    return above.mean() <= ERRORS * above.standardError();
  }

  private static String words(Goal goal) {
    return "--criterion %s --%s --router %s%s"
        .formatted(
            goal.criterion().name(),
            goal.scope(),
            goal.router(),
            goal.router() == Plan.Router.CUT ? "" : " --novice " + goal.novice());
  }
}
