package io.moneonnx.cli;

import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Limits;
import io.moneonnx.plan.Normalisation;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Ratio;
import io.moneonnx.plan.RatioSweep;
import io.moneonnx.plan.Scope;
import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.plan.criterion.Criterion;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Option;

/** The options that say which ways of pruning are to be set against each other. */
final class ChoiceOptions {
  private static final String ALL = "all";
  private static final long SEED = 0;

  @Option(
      names = "--criterion",
      paramLabel = "NAME",
      split = ",",
      completionCandidates = BudgetOptions.CriterionNames.class,
      description =
          "What ranks the experts, one or several: ${COMPLETION-CANDIDATES} or all (default:"
              + " all).")
  private List<String> criteria = List.of(ALL);

  @Option(
      names = "--ratio",
      paramLabel = "R",
      split = ",",
      description =
          "The part of the experts to replace, one or several, or FIRST:LAST:STEP (default: "
              + BudgetOptions.DEFAULT_RATIO
              + ").")
  private List<String> ratios = List.of(BudgetOptions.DEFAULT_RATIO);

  @Option(
      names = "--scope",
      split = ",",
      description = "One or several of ${COMPLETION-CANDIDATES} (default: layer).")
  private List<ScopeName> scopes = List.of(ScopeName.LAYER);

  @Option(
      names = "--novice",
      split = ",",
      description = "One or several of ${COMPLETION-CANDIDATES} (default: mean).")
  private List<Novice> novices = List.of(Novice.MEAN);

  @Option(
      names = "--router",
      split = ",",
      description =
          "One or several of ${COMPLETION-CANDIDATES}; a cut router has no use for novices"
              + " (default: keep).")
  private List<Plan.Router> routers = List.of(Plan.Router.KEEP);

  /** Every combination once. */
  List<Goal> goals() {
    Set<Goal> goals = new LinkedHashSet<>();
    for (Ratio ratio : ratios()) {
      for (ScopeName scope : scopes) {
        for (Plan.Router router : routers) {
          for (Novice novice : router == Plan.Router.CUT ? List.of(Novice.ZERO) : novices) {
            for (Criterion criterion : criteria()) {
              goals.add(new Goal(criterion, novice, router, ratio, scope(scope), Limits.NONE));
            }
          }
        }
      }
    }
    return List.copyOf(goals);
  }

  private static Scope scope(ScopeName name) {
    return name == ScopeName.LAYER ? new Scope.Layer() : new Scope.Model(Normalisation.NONE);
  }

  private List<Ratio> ratios() {
    return ratios.stream().flatMap(text -> RatioSweep.parse(text).ratios().stream()).toList();
  }

  private List<Criterion> criteria() {
    List<Criterion> chosen = new ArrayList<>();
    for (String name : criteria) {
      if (name.equals(ALL)) {
        chosen.addAll(Criteria.all(SEED));
      } else {
        chosen.add(Criteria.named(name, SEED));
      }
    }
    return chosen;
  }
}
