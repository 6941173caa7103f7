package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.narrow.DamageCurve;
import io.moneonnx.narrow.DamageCurve.Point;
import io.moneonnx.narrow.ModelCurves;
import io.moneonnx.narrow.RemovalOrder;
import io.moneonnx.plan.NarrowTerms.Stacks;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.NeuronOrders;
import io.moneonnx.profile.NeuronOrders.Widths;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Gives every expert the width that its bytes earn. Blocks without orders stay as they are. */
final class NarrowPlanner {
  /** So much more damage than that of atoms is worth the slots that these take. */
  private static final double WORTH = 1.05;

  /** By so much the weight of a tag below its floor grows at first, and then again and again. */
  private static final double FIRST_PRESSURE = 0.125;

  private static final double MORE_PRESSURE = 1.5;
  private static final int TRIES = 40;

  private final Goal goal;
  private final NarrowTerms terms;
  private final long modelBytes;
  private final List<BlockHeader> headers;
  private final List<Block> blocks;
  private final Map<String, Set<Integer>> held;
  private final KeptEnergy kept;
  private final ModelCurves shared;
  private final ModelCurves split;

  /** A block that can be narrowed, and the orders of its experts. */
  private record Block(
      BlockStatistics measured,
      Widths widths,
      long neuronBytes,
      int group,
      List<RemovalOrder> orders) {
    static Block of(BlockStatistics measured, NeuronOrders orders) {
      return new Block(
          measured,
          orders.widths(),
          orders.neuronBytes(),
          orders.group(),
          IntStream.range(0, measured.experts())
              .mapToObj(expert -> order(measured.name(), orders, expert))
              .toList());
    }

    private static RemovalOrder order(String name, NeuronOrders orders, int expert) {
      try {
        return RemovalOrder.of(orders.removed(expert), orders.distortions(expert));
      } catch (BadInputException e) {
        throw new BadInputException(
            "block '%s': expert %d: %s".formatted(name, expert, e.getMessage()), e);
      }
    }

    int experts() {
      return orders.size();
    }

    int inner() {
      return measured.header().inner();
    }

    /** Whether each expert has a width of its own, be it one of atoms. */
    boolean isOwn(boolean isSplit) {
      return widths == Widths.OWN || (isSplit && widths == Widths.ATOMS);
    }
  }

  /**
   * Of what a profile holds.
   *
   * @throws BadInputException if it holds no order of neurons; says how to get one
   */
  NarrowPlanner(Profile profile, Goal goal) {
    this.goal = goal;
    this.terms = goal.narrow().orElseThrow();
    this.modelBytes = profile.modelBytes();
    this.headers = profile.blocks().stream().map(BlockStatistics::header).toList();
    this.blocks =
        profile.blocks().stream()
            .flatMap(block -> block.orders().map(orders -> Block.of(block, orders)).stream())
            .toList();
    this.held = goal.limits().held(Measurements.of(profile).blocks());
    if (blocks.isEmpty()) {
      throw new BadInputException(
          "method narrow: the profile holds no order of neurons, expected one of 'calibrate --moments'"
              + " in which experts can be narrowed or, where it was merged, --model MODEL beside it");
    }
    int widest = blocks.stream().mapToInt(Block::inner).max().orElseThrow();
    if (terms.minWidth() > widest) {
      throw new BadInputException(
          "min-width: found %d, expected at most %d, the neurons of an expert"
              .formatted(terms.minWidth(), widest));
    }
    boolean haveAtoms = blocks.stream().anyMatch(block -> block.widths() == Widths.ATOMS);
    if (terms.stacks() == Stacks.ATOMS && !haveAtoms) {
      throw new BadInputException(
          "atoms: expected a block whose experts are stacked and can be cut into slices, found none");
    }
    this.kept = new KeptEnergy(profile, goal.novice());
    requireTags(kept.tags());
    this.shared = curves(false, Map.of());
    this.split = haveAtoms && terms.stacks() != Stacks.UNIFORM ? curves(true, Map.of()) : shared;
  }

  private void requireTags(Set<String> tags) {
    for (String tag : terms.tagFloors().keySet()) {
      if (!tags.contains(tag)) {
        throw new BadInputException(
            "tag-floor %s: expected a tag of the calibration data, found %s"
                .formatted(tag, tags.isEmpty() ? "none" : String.join(", ", tags)));
      }
    }
  }

  /**
   * The curves of all experts.
   *
   * @param pressures by tag, by how much what its data lose counts more
   */
  private ModelCurves curves(boolean isSplit, Map<String, Double> pressures) {
    return new ModelCurves(
        blocks.stream().map(block -> curves(block, isSplit, pressures)).toList());
  }

  /** The widths that the goal's amount buys, and which neurons that leaves. */
  List<Plan.Block> plan() {
    long budget = budget(goal.amount());
    if (budget >= shared.bytes()) {
      throw new BadInputException(
          goal.amount() + " removes nothing: the experts have no more than that");
    }
    boolean isSplit = isSplit(budget);
    ModelCurves curves = isSplit ? split : shared;
    requireLeast(curves, budget);
    Map<String, Double> pressures = new TreeMap<>();
    List<Plan.Block> plan = planned(widths(curves, budget));
    List<String> below = below(plan);
    for (int tries = 0; !below.isEmpty(); tries++) {
      if (tries == TRIES) {
        throw cannotMeet(below.get(0), plan);
      }
      below.forEach(
          tag -> pressures.merge(tag, FIRST_PRESSURE, (old, first) -> old * MORE_PRESSURE));
      plan = planned(widths(curves(isSplit, pressures), budget));
      below = below(plan);
    }
    return plan;
  }

  /** Tags whose data keep too little. */
  private List<String> below(List<Plan.Block> plan) {
    return terms.tagFloors().keySet().stream()
        .filter(tag -> part(tag, plan) < terms.tagFloors().get(tag))
        .toList();
  }

  /** What data of a tag keep as a part of what all data keep. */
  private double part(String tag, List<Plan.Block> plan) {
    double all = kept.of(Optional.empty(), plan);
    return all > 0 ? kept.of(Optional.of(tag), plan) / all : 1;
  }

  private BadInputException cannotMeet(String tag, List<Plan.Block> plan) {
    return new BadInputException(
        String.format(
            Locale.ROOT,
            "tag-floor %s cannot be met at %s: found %.4f of what all data keep, expected at least %s",
            tag,
            goal.amount(),
            part(tag, plan),
            terms.tagFloors().get(tag)));
  }

  private List<Plan.Block> planned(ModelCurves.Widths widths) {
    Map<String, Plan.Block> planned = new HashMap<>();
    for (int i = 0; i < blocks.size(); i++) {
      planned.put(blocks.get(i).measured().name(), planned(blocks.get(i), widths.blocks().get(i)));
    }
    return headers.stream()
        .map(
            block ->
                planned.getOrDefault(
                    block.name(), new Plan.Block(block.name(), block.experts(), List.of())))
        .toList();
  }

  /** Whether the least widths that are allowed fit this amount. */
  boolean canMeet(Amount amount) {
    long budget = budget(amount);
    return canMeet(curves(budget), budget);
  }

  private boolean canMeet(ModelCurves curves, long budget) {
    return isOfModel() ? curves.leastBytes() <= budget : curves.lacking(budget).isEmpty();
  }

  private ModelCurves.Widths widths(ModelCurves curves, long budget) {
    return isOfModel() ? curves.model(budget) : curves.layer(budget);
  }

  /** The curves on which a budget is spent. */
  private ModelCurves curves(long budget) {
    return isSplit(budget) ? split : shared;
  }

  /** Whether a budget is spent on atoms, or on one width where experts are stacked. */
  private boolean isSplit(long budget) {
    if (terms.stacks() != Stacks.CHEAPER || !canMeet(shared, budget) || !canMeet(split, budget)) {
      return terms.stacks() == Stacks.ATOMS || !canMeet(shared, budget);
    }
    double one = widths(shared, budget).damage();
    return isWorth(one, widths(split, budget).damage());
  }

  /** True where one width costs more than 5% more damage than atoms. */
  private static boolean isWorth(double one, double atoms) {
    return one > WORTH * atoms;
  }

  private void requireLeast(ModelCurves curves, long budget) {
    if (isOfModel() && curves.leastBytes() > budget) {
      throw tooLarge("model", curves.leastBytes(), budget);
    } else if (!isOfModel()) {
      curves
          .lacking(budget)
          .ifPresent(
              block -> {
                String where = "block '%s'".formatted(blocks.get(block).measured().name());
                throw tooLarge(where, curves.leastBytes(block), curves.part(budget, block));
              });
    }
  }

  private BadInputException tooLarge(String where, long least, long budget) {
    return new BadInputException(
        "%s cannot be met: at the least widths that are allowed the experts of the %s take %,d bytes, expected at most %,d"
            .formatted(goal.amount(), where, least, budget));
  }

  private boolean isOfModel() {
    return goal.scope() instanceof Scope.Model;
  }

  private long budget(Amount amount) {
    return amount.budget(modelBytes, shared.bytes(), overhead());
  }

  /** What a written model may have more than the bytes of its weights. */
  private long overhead() {
    return FileSize.overhead(modelBytes, blocks.stream().map(this::allChanged).toList());
  }

  private FileSize.Block allChanged(Block block) {
    boolean isSplit = block.widths() == Widths.ATOMS && terms.stacks() != Stacks.UNIFORM;
    int removable = block.isOwn(isSplit) ? block.experts() : 0;
    long novice = goal.novice().bytes(block.measured().hidden());
    return new FileSize.Block(
        block.measured().header(),
        removable,
        novice,
        block.experts() - removable,
        0,
        isSplit
            ? PlannedAtoms.of(block.measured().header(), atomWidth(block))
                .bytes(block.measured().header(), block.neuronBytes())
            : 0);
  }

  private int atomWidth(Block block) {
    return PlannedAtoms.width(terms.atomWidth(), block.inner());
  }

  /** {@link ModelCurves#forecast}, with atoms where a budget is spent on them. */
  SortedMap<Integer, Double> forecast() {
    SortedMap<Integer, Double> damage = new TreeMap<>(split.forecast());
    if (terms.stacks() == Stacks.CHEAPER) {
      shared
          .forecast()
          .forEach(
              (percent, one) ->
                  damage.merge(percent, one, (atoms, same) -> isWorth(same, atoms) ? atoms : same));
    }
    return damage;
  }

  /**
   * Each expert's curve; one for all experts of a block that share a width.
   *
   * @param isSplit whether experts that can have atoms do not share a width
   * @param pressures by tag, by how much what its data lose counts more
   */
  private List<DamageCurve> curves(Block block, boolean isSplit, Map<String, Double> pressures) {
    double[] weights = weights(block.measured(), pressures);
    Set<Integer> whole = held.getOrDefault(block.measured().name(), Set.of());
    boolean isOwn = block.isOwn(isSplit);
    Set<Integer> staying = staying(block, isOwn, weights, whole);
    int step = isOwn && block.widths() == Widths.ATOMS ? atomWidth(block) : step(block);
    List<DamageCurve> own = new ArrayList<>();
    for (int expert = 0; expert < block.experts(); expert++) {
      DamageCurve curve =
          DamageCurve.of(block.orders().get(expert), step, block.neuronBytes(), weights[expert]);
      int least = Math.max(terms.minWidth(), staying.contains(expert) ? 1 : 0);
      own.add(
          whole.contains(expert)
              ? curve.atLeast(block.inner())
              : least > 0
                  ? curve.atLeast(least)
                  : withNovice(curve, block.measured(), expert, weights[expert]));
    }
    return isOwn ? own : List.of(DamageCurve.sum(own));
  }

  /** What widths are multiples of: whole groups, where neurons go by groups. */
  private int step(Block block) {
    int usual = DamageCurve.step(block.inner());
    int step = terms.step().orElse(usual % block.group() == 0 ? usual : block.group());
    if (step % block.group() != 0) {
      throw new BadInputException(
          "step %d: expected a multiple of %d, since the experts of block '%s' are quantised in groups of so many neurons"
              .formatted(step, block.group(), block.measured().name()));
    }
    return step;
  }

  /** The curve with a novice in place of an expert without neurons. */
  private DamageCurve withNovice(
      DamageCurve curve, BlockStatistics block, int expert, double weight) {
    double damage = weight * goal.novice().residual(block, expert);
    Point gone = new Point(0, goal.novice().bytes(block.hidden()), damage);
    Stream<Point> others =
        curve.points().stream()
            .filter(point -> point.bytes() > gone.bytes() && point.damage() <= damage);
    return new DamageCurve(Stream.concat(Stream.of(gone), others).toList());
  }

  /**
   * As many as must stay: those that stay whole, then those that would cost most; all where experts
   * share a width.
   */
  private Set<Integer> staying(Block block, boolean isOwn, double[] weights, Set<Integer> whole) {
    int least = goal.limits().minKeep(Plan.Router.KEEP, block.measured().header());
    if (least > block.experts()) {
      throw new BadInputException(
          "min-keep: found %d, expected at most %d, the experts of block '%s'"
              .formatted(least, block.experts(), block.measured().name()));
    }
    return IntStream.range(0, block.experts())
        .boxed()
        .sorted(
            Comparator.<Integer, Boolean>comparing(expert -> !whole.contains(expert))
                .thenComparing(
                    expert -> -weights[expert] * block.orders().get(expert).distortion(0)))
        .limit(isOwn ? least : block.experts())
        .collect(Collectors.toSet());
  }

  private double[] weights(BlockStatistics block, Map<String, Double> pressures) {
    long[] calls =
        IntStream.range(0, block.experts()).mapToLong(block.get(Statistic.N)::count).toArray();
    double[] weights = terms.weights().of(block.tokens(), KeptEnergy.energy(block), calls);
    for (int expert = 0; expert < weights.length; expert++) {
      double more = 1;
      for (Map.Entry<String, Double> pressure : pressures.entrySet()) {
        more += pressure.getValue() * KeptEnergy.use(block, expert, pressure.getKey());
      }
      weights[expert] *= more;
    }
    return weights;
  }

  private static Plan.Block planned(Block block, List<Point> points) {
    List<Integer> pruned = new ArrayList<>();
    List<Plan.Narrowed> narrowed = new ArrayList<>();
    for (int expert = 0; expert < block.experts(); expert++) {
      int width = points.get(points.size() == 1 ? 0 : expert).width();
      if (width == 0) {
        pruned.add(expert);
      } else if (width < block.inner()) {
        int[] kept = block.orders().get(expert).kept(width);
        narrowed.add(
            new Plan.Narrowed(expert, width, Optional.of(IntStream.of(kept).boxed().toList())));
      }
    }
    return new Plan.Block(block.measured().name(), block.experts(), pruned, Optional.of(narrowed));
  }
}
