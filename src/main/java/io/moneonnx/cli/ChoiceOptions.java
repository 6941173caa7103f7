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
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that say which ways of pruning are to be set against each other. */
final class ChoiceOptions {
  private static final String ALL = "all";
  private static final String RANDOM = "random";

  @Option(
      names = "--method",
      split = ",",
      description =
          "Whether whole experts go or all of them lose neurons, one or several of"
              + " ${COMPLETION-CANDIDATES} (default: novice). narrow has no use for a criterion.")
  private List<MethodName> methods = List.of(MethodName.NOVICE);

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
      description =
          "One or several of ${COMPLETION-CANDIDATES} (default: layer, and model for narrow).")
  private List<ScopeName> scopes;

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
      description =
          "One or several of ${COMPLETION-CANDIDATES} (default: mean, and zero for narrow).")
  private List<Novice> novices;

  @Option(
      names = "--router",
      split = ",",
      description =
          "One or several of ${COMPLETION-CANDIDATES}; a cut router has no use for novices"
              + " (default: keep).")
  private List<Plan.Router> routers = List.of(Plan.Router.KEEP);

  @Mixin private LimitOptions limits;
  @Mixin private NarrowOptions narrow;

  /** Every combination once. */
  List<Goal> goals() {
    if (!methods.contains(MethodName.NARROW)) {
      narrow.requireNone();
    }
    Set<Goal> goals = new LinkedHashSet<>();
    for (Ratio ratio : ratios()) {
      for (MethodName method : methods) {
        goals.addAll(method == MethodName.NARROW ? narrow(ratio) : novice(ratio));
      }
    }
    return List.copyOf(goals);
  }

  private List<Goal> novice(Ratio ratio) {
    List<Goal> goals = new ArrayList<>();
    List<Novice> standIns = novices == null ? List.of(Novice.MEAN) : novices;
    for (Scope scope : scopes(ScopeName.LAYER)) {
      for (Plan.Router router : routers) {
        for (Novice novice : router == Plan.Router.CUT ? List.of(Novice.ZERO) : standIns) {
          for (Criterion criterion : criteria()) {
            goals.add(
                new Goal(
                    criterion, novice, router, ratio, scope, limits.limits(), Optional.empty()));
          }
        }
      }
    }
    return goals;
  }

  private List<Goal> narrow(Ratio ratio) {
    List<Goal> goals = new ArrayList<>();
    for (Scope scope : scopes(ScopeName.MODEL)) {
      for (Novice novice : novices == null ? List.of(Novice.ZERO) : novices) {
        goals.add(
            new Goal(
                Criteria.DEFAULT,
                novice,
                Plan.Router.KEEP,
                ratio,
                scope,
                limits.limits(),
                Optional.of(narrow.terms())));
      }
    }
    return goals;
  }

  private List<Ratio> ratios() {
    return ratios.stream().flatMap(text -> RatioSweep.parse(text).ratios().stream()).toList();
  }

  private List<Scope> scopes(ScopeName usual) {
    List<ScopeName> wanted = scopes == null ? List.of(usual) : scopes;
    if (!normalisations.isEmpty() && !(scopes != null && scopes.contains(ScopeName.MODEL))) {
      throw new BadInputException(
          "--normalise requires --scope model: scores of one layer need none");
    }
    List<Normalisation> given =
        normalisations.isEmpty() ? List.of(Normalisation.NONE) : normalisations;
    List<Scope> all = new ArrayList<>();
    for (ScopeName name : wanted) {
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
