package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.plan.Goal;
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
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that say which ways of pruning are to be set against each other. */
final class ChoiceOptions {
  private static final String ALL = "all";
  private static final String RANDOM = "random";

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
      names = "--seed",
      paramLabel = "N",
      description = "Another order for the criterion random (default: 0).")
  private Long seed;

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
      names = "--normalise",
      split = ",",
      description =
          "What scores are divided by with --scope model, one or several of ${COMPLETION-CANDIDATES}"
              + " (default: none).")
  private List<Normalisation> normalisations = List.of();

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

  @Mixin private LimitOptions limits;

  /** Every combination once. */
  List<Goal> goals() {
    Set<Goal> goals = new LinkedHashSet<>();
    for (Ratio ratio : ratios()) {
      for (Scope scope : scopes()) {
        for (Plan.Router router : routers) {
          for (Novice novice : router == Plan.Router.CUT ? List.of(Novice.ZERO) : novices) {
            for (Criterion criterion : criteria()) {
              goals.add(new Goal(criterion, novice, router, ratio, scope, limits.limits()));
            }
          }
        }
      }
    }
    return List.copyOf(goals);
  }

  private List<Ratio> ratios() {
    return ratios.stream().flatMap(text -> RatioSweep.parse(text).ratios().stream()).toList();
  }

  private List<Scope> scopes() {
    if (!normalisations.isEmpty() && !scopes.contains(ScopeName.MODEL)) {
      throw new BadInputException(
          "--normalise requires --scope model: scores of one layer need none");
    }
    List<Normalisation> given =
        normalisations.isEmpty() ? List.of(Normalisation.NONE) : normalisations;
    List<Scope> all = new ArrayList<>();
    for (ScopeName name : scopes) {
      if (name == ScopeName.LAYER) {
        all.add(new Scope.Layer());
      } else {
        given.forEach(normalisation -> all.add(new Scope.Model(normalisation)));
      }
    }
    return all;
  }

  private List<Criterion> criteria() {
    if (seed != null && !criteria.contains(ALL) && !criteria.contains(RANDOM)) {
      throw new BadInputException(
          "--seed requires --criterion random, found --criterion " + String.join(",", criteria));
    }
    long order = seed == null ? 0 : seed;
    List<Criterion> chosen = new ArrayList<>();
    for (String name : criteria) {
      if (name.equals(ALL)) {
        chosen.addAll(Criteria.all(order));
      } else {
        chosen.add(Criteria.named(name, order));
      }
    }
    return chosen;
  }
}
