package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.plan.Amount;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.NarrowTerms;
import io.moneonnx.plan.Normalisation;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.PlanConstraints;
import io.moneonnx.plan.PruneCount;
import io.moneonnx.plan.RatioSweep;
import io.moneonnx.plan.Scope;
import io.moneonnx.plan.TargetSize;
import io.moneonnx.plan.Thresholds;
import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.plan.criterion.Criterion;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that say how many experts go, which, and what stands in for them. */
final class BudgetOptions {
  static final String DEFAULT_RATIO = "0.25";

  /** The names of criteria, for the help. */
  static final class CriterionNames extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    CriterionNames() {
      super(Criteria.names());
    }
  }

  @Option(
      names = "--method",
      description =
          "Whether whole experts are replaced by novices, or all experts lose the inner neurons that"
              + " matter least, with their down projections re-fitted: ${COMPLETION-CANDIDATES}"
              + " (default: novice). narrow needs 'calibrate --moments'; its --ratio is the part of"
              + " the experts' bytes, its --scope is model and its --novice zero where they are not"
              + " given.")
  private MethodName method;

  @Option(
      names = "--criterion",
      paramLabel = "NAME",
      completionCandidates = CriterionNames.class,
      description =
          "What ranks the experts; the lowest go: ${COMPLETION-CANDIDATES} (default: mone).")
  private String criterion;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Another order for --criterion random (default: 0).")
  private Long seed;

  @Option(
      names = "--novice",
      description =
          "What stands in for an expert: its mean output, the mean weighted by squared routing weights,"
              + " or nothing: ${COMPLETION-CANDIDATES} (default: mean).")
  private Novice novice;

  @Option(
      names = "--router",
      description =
          "Whether the router keeps pruned experts, or is cut and chooses among the"
              + " others: ${COMPLETION-CANDIDATES} (default: keep).")
  private Plan.Router router;

  @Option(
      names = "--ratio",
      paramLabel = "R",
      description =
          "The part of the experts to replace, or with --method narrow of their bytes to remove (default: "
              + DEFAULT_RATIO
              + "). FIRST:LAST:STEP, such as 0.1:0.5:0.1, plans several at once.")
  private String ratio;

  @Option(
      names = "--prune-count",
      paramLabel = "N",
      description = "Replace so many experts: of each block, or with --scope model of all.")
  private Integer pruneCount;

  @Option(
      names = "--target-size",
      paramLabel = "SIZE",
      description =
          "Replace as few experts, or remove as few neurons, as bring the written model to this size:"
              + " 3.5GiB, 500MB or bytes.")
  private String targetSize;

  @Option(
      names = "--frequency-below",
      paramLabel = "F",
      description =
          "Replace the experts that get less than this share of their block's routed calls; with"
              + " --spread-below, those below both.")
  private Double frequencyBelow;

  @Option(
      names = "--spread-below",
      paramLabel = "V",
      description =
          "Replace the experts whose outputs' standard deviation is less than this part of their"
              + " block's mean output norm.")
  private Double spreadBelow;

  @Option(
      names = "--scope",
      description =
          "Rank the experts of each layer by themselves, or those of the whole model together, so"
              + " that blocks keep different numbers: ${COMPLETION-CANDIDATES} (default: layer).")
  private ScopeName scope;

  @Option(
      names = "--normalise",
      description =
          "What scores are divided by with --scope model: nothing, the block's mean score, or the"
              + " energy of the block's output: ${COMPLETION-CANDIDATES} (default: none).")
  private Normalisation normalisation;

  @Mixin private LimitOptions limits;
  @Mixin private NarrowOptions narrow;

  /** The options that were given which a plan file answers itself; {@code --novice} is not. */
  List<String> given() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("--criterion", criterion);
    all.put("--seed", seed);
    all.put("--router", router);
    all.putAll(amounts());
    all.put("--scope", scope);
    all.put("--normalise", normalisation);
    all.putAll(limits.given());
    all.put("--method", method);
    all.putAll(narrow.given());
    all.values().removeIf(Objects::isNull);
    return List.copyOf(all.keySet());
  }

  /** The novice that was asked for. */
  Optional<Novice> novice() {
    return Optional.ofNullable(novice);
  }

  /** The one goal that was asked for; refuses several. */
  Goal goal() {
    List<Goal> goals = goals();
    if (goals.size() > 1) {
      throw new BadInputException(
          "--ratio %s makes %d plans, expected one: give one ratio, or plan several with 'plan' and"
                  .formatted(ratio, goals.size())
              + " take one with --plan");
    }
    return goals.get(0);
  }

  /** A goal for each ratio, in their order; one where no sweep was asked for. */
  List<Goal> goals() {
    return wanted().stream().map(named()::with).toList();
  }

  /** What was asked for, beside how many go; refuses that. */
  PlanConstraints terms() {
    if (!amounts().isEmpty()) {
      throw new BadInputException(
          "%s and %s each say how many experts go; give one"
              .formatted(SearchOptions.LIMIT, String.join(" and ", amounts().keySet())));
    }
    return named();
  }

  private PlanConstraints named() {
    Novice usual = isNarrow() ? Novice.ZERO : Novice.MEAN;
    Optional<NarrowTerms> terms = narrowTerms();
    return new PlanConstraints(
        criterion(), novice().orElse(usual), router(), scope(), limits.limits(), terms);
  }

  boolean isNarrow() {
    return method == MethodName.NARROW;
  }

  private Optional<NarrowTerms> narrowTerms() {
    if (!isNarrow()) {
      narrow.requireNone();
      return Optional.empty();
    } else if (!ofWholeExperts().isEmpty()) {
      throw new BadInputException(
          "--method narrow gives every expert a width; leave out "
              + String.join(", ", ofWholeExperts()));
    }
    return Optional.of(narrow.terms());
  }

  private List<String> ofWholeExperts() {
    Map<String, Object> given = new LinkedHashMap<>();
    given.put("--criterion", criterion);
    given.put("--seed", seed);
    given.put("--router", router == Plan.Router.CUT ? router : null);
    given.put("--prune-count", pruneCount);
    given.put("--frequency-below", frequencyBelow);
    given.put("--spread-below", spreadBelow);
    given.put("--normalise", normalisation);
    given.values().removeIf(Objects::isNull);
    return List.copyOf(given.keySet());
  }

  private Plan.Router router() {
    if (router == Plan.Router.CUT && novice != null) {
      throw new BadInputException(
          "--novice requires --router keep: a cut router does not choose pruned experts");
    }
    return router == null ? Plan.Router.KEEP : router;
  }

  private Criterion criterion() {
    Criterion named =
        criterion == null ? Criteria.DEFAULT : Criteria.named(criterion, seed == null ? 0 : seed);
    if (seed != null && !named.name().equals("random")) {
      throw new BadInputException(
          "--seed requires --criterion random, found --criterion " + named.name());
    }
    return named;
  }

  private Map<String, Object> amounts() {
    Map<String, Object> amounts = new LinkedHashMap<>();
    amounts.put("--ratio", ratio);
    amounts.put("--prune-count", pruneCount);
    amounts.put("--target-size", targetSize);
    amounts.put("--frequency-below", frequencyBelow);
    amounts.put("--spread-below", spreadBelow);
    amounts.values().removeIf(Objects::isNull);
    return amounts;
  }

  private List<? extends Amount> wanted() {
    List<String> names = List.copyOf(amounts().keySet());
    boolean isThreshold = frequencyBelow != null || spreadBelow != null;
    if (names.size() > 1 && !names.equals(List.of("--frequency-below", "--spread-below"))) {
      throw new BadInputException(
          String.join(" and ", names) + " each say how many experts go; give one");
    }
    if (isThreshold && criterion != null) {
      throw new BadInputException(
          "--criterion has no say where %s takes all experts below it; leave out --criterion"
              .formatted(names.get(0)));
    } else if (isThreshold) {
      return List.of(new Thresholds(optional(frequencyBelow), optional(spreadBelow)));
    } else if (pruneCount != null) {
      return List.of(new PruneCount(pruneCount));
    } else if (targetSize != null) {
      return List.of(TargetSize.parse(targetSize));
    }
    return RatioSweep.parse(ratio == null ? DEFAULT_RATIO : ratio).ratios();
  }

  private static OptionalDouble optional(Double value) {
    return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
  }

  private Scope scope() {
    boolean isUsual = scope == null && isNarrow();
    if (scope == ScopeName.MODEL || isUsual) {
      return new Scope.Model(normalisation == null ? Normalisation.NONE : normalisation);
    } else if (normalisation != null) {
      throw new BadInputException(
          "--normalise requires --scope model: scores of one layer need none");
    }
    return new Scope.Layer();
  }
}
