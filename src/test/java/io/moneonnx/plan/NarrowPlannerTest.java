package io.moneonnx.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.plan.NarrowTerms.Stacks;
import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.MadeStatistics;
import io.moneonnx.profile.NeuronOrders;
import io.moneonnx.profile.NeuronOrders.Widths;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Slices;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.profile.Statistics;
import io.moneonnx.profile.Values;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Widths that budgets buy, of experts with four neurons of 100 bytes. */
final class NarrowPlannerTest {
  private static final int NEURON = 100;
  private static final double[] STEEP = {90, 40, 10, 1, 0};
  private static final double[] FLAT = {9, 4, 1, 0.1, 0};

  /** A block in which ten tokens chose each of two experts with these distortions. */
  private static BlockStatistics block(String name, Widths widths, double[]... distortions) {
    BlockHeader header = new BlockHeader(name, "loop", distortions.length, 1, 2, 4, 4 * NEURON);
    double[] calls = new double[distortions.length];
    double[] lost = new double[distortions.length];
    List<Long> removed = new ArrayList<>();
    for (int expert = 0; expert < distortions.length; expert++) {
      calls[expert] = 10;
      lost[expert] = distortions[expert][0];
      removed.addAll(List.of(3L, 1L, 0L, 2L));
    }
    return new MadeStatistics(header, Detail.MOMENTS, Map.of())
        .with(Statistic.T, 10.0 * distortions.length)
        .with(Statistic.N, calls)
        .with(Statistic.G2, calls)
        .with(Statistic.B2, lost)
        .with(Statistic.H2, 10.0 * distortions.length)
        .with(Statistic.Y2, DoubleStream.of(lost).sum())
        .block()
        .with(
            new NeuronOrders(
                widths,
                NEURON,
                Values.counts(removed.stream().mapToLong(Long::longValue).toArray()),
                Values.of(Stream.of(distortions).flatMapToDouble(DoubleStream::of).toArray())));
  }

  /** The same whose neurons go two by two. */
  private static BlockStatistics inPairs(String name, Widths widths, double[]... distortions) {
    BlockStatistics block = block(name, widths, distortions);
    NeuronOrders one = block.orders().orElseThrow();
    return block.with(new NeuronOrders(one.widths(), NEURON, 2, one.removed(), one.distortions()));
  }

  @Test
  void takesWholeGroupsOnly() {
    Goal step = half(model());
    Goal usual =
        new Goal(
            step.criterion(),
            step.novice(),
            step.router(),
            step.amount(),
            step.scope(),
            step.limits(),
            Optional.of(new NarrowTerms(Weighting.BALANCED, OptionalInt.empty(), 0)));
    Profile profile = profile(inPairs("a", Widths.OWN, STEEP, FLAT));

    assertThat(widths(Planner.plan(profile, usual), "a")).containsExactly(4, 0);
    assertThatThrownBy(() -> Planner.plan(profile, step))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "step 1: expected a multiple of 2, since the experts of block 'a' are quantised in groups"
                + " of so many neurons");
  }

  private static Profile profile(BlockStatistics... blocks) {
    return new Profile("m", 1_000_000, List.of(), List.of(blocks));
  }

  private static Goal goal(String ratio, Scope scope, Novice novice, Limits limits, int minWidth) {
    return new Goal(
        Criteria.DEFAULT,
        novice,
        Plan.Router.KEEP,
        Ratio.parse(ratio),
        scope,
        limits,
        Optional.of(new NarrowTerms(Weighting.BALANCED, OptionalInt.of(1), minWidth)));
  }

  private static Goal half(Scope scope) {
    return goal("0.5", scope, Novice.ZERO, Limits.NONE, 0);
  }

  private static Scope model() {
    return new Scope.Model(Normalisation.NONE);
  }

  private static List<Integer> widths(Plan plan, String block) {
    int experts = plan.block(block).orElseThrow().experts();
    List<Integer> widths = new ArrayList<>();
    for (int i = 0; i < experts; i++) {
      int expert = i;
      Optional<Integer> narrowed =
          plan.narrowed(block).stream()
              .filter(each -> each.expert() == expert)
              .map(Plan.Narrowed::width)
              .findFirst();
      widths.add(plan.pruned(block).contains(i) ? 0 : narrowed.orElse(4));
    }
    return widths;
  }

  @Test
  void spendsTheBudgetWhereItSavesMost() {
    Plan plan =
        Planner.plan(
            profile(block("a", Widths.OWN, STEEP, FLAT), block("b", Widths.OWN, FLAT, FLAT)),
            half(model()));

    assertThat(widths(plan, "a")).containsExactly(3, 2);
    assertThat(widths(plan, "b")).containsExactly(2, 1);
    assertThat(plan.narrowed("a").get(0).kept()).contains(List.of(0, 1, 2));
    assertThat(plan.narrowed("b").get(1).kept()).contains(List.of(2));
    assertThat(plan.criterion()).isEmpty();
    assertThat(plan.budget())
        .contains("method narrow, weights balanced, step 1, ratio 0.5, scope model");
  }

  @Test
  void givesEveryBlockItsPartWithScopeLayer() {
    Plan plan =
        Planner.plan(
            profile(block("a", Widths.OWN, STEEP, STEEP), block("b", Widths.OWN, FLAT, FLAT)),
            half(new Scope.Layer()));

    assertThat(widths(plan, "a")).containsExactly(2, 2);
    assertThat(widths(plan, "b")).containsExactly(2, 2);
  }

  @Test
  void givesExpertsThatShareTheirWidthTheSame() {
    Plan plan =
        Planner.plan(
            profile(block("a", Widths.ONE, STEEP, FLAT), block("b", Widths.OWN, STEEP, FLAT)),
            half(model()));

    assertThat(widths(plan, "a")).doesNotContain(0).hasSize(2);
    assertThat(widths(plan, "a").get(0)).isEqualTo(widths(plan, "a").get(1));
  }

  private static Goal half(Stacks stacks, OptionalInt atomWidth) {
    return new Goal(
        Criteria.DEFAULT,
        Novice.ZERO,
        Plan.Router.KEEP,
        Ratio.parse("0.5"),
        model(),
        Limits.NONE,
        Optional.of(
            new NarrowTerms(
                Weighting.BALANCED, OptionalInt.of(1), 0, stacks, atomWidth, new TreeMap<>())));
  }

  @Test
  void givesStackedExpertsAtomsWhereOneWidthCostsMore() {
    Profile unlike = profile(block("a", Widths.ATOMS, STEEP, FLAT));
    Profile alike = profile(block("a", Widths.ATOMS, FLAT, FLAT));

    assertThat(widths(Planner.plan(unlike, half(model())), "a")).containsExactly(3, 1);
    assertThat(widths(Planner.plan(alike, half(model())), "a")).containsExactly(2, 2);
    assertThat(DamageForecast.of(unlike, half(model())).damage().get(50))
        .isCloseTo(
            DamageForecast.of(unlike, half(Stacks.ATOMS, OptionalInt.empty())).damage().get(50),
            within(1e-12))
        .isLessThan(
            DamageForecast.of(unlike, half(Stacks.UNIFORM, OptionalInt.empty())).damage().get(50));
  }

  @Test
  void givesStackedExpertsWhatIsAskedFor() {
    Profile profile = profile(block("a", Widths.ATOMS, STEEP, FLAT));

    assertThat(widths(Planner.plan(profile, half(Stacks.UNIFORM, OptionalInt.empty())), "a"))
        .containsExactly(2, 2);
    assertThat(widths(Planner.plan(profile, half(Stacks.ATOMS, OptionalInt.of(2))), "a"))
        .containsExactly(4, 0);
    assertThat(widths(Planner.plan(profile, half(Stacks.ATOMS, OptionalInt.of(1))), "a"))
        .containsExactly(3, 1);
    assertThat(Planner.plan(profile, half(Stacks.ATOMS, OptionalInt.of(1))).budget())
        .contains(
            "method narrow, weights balanced, step 1, atoms, atom-width 1, ratio 0.5, scope model");
    assertThatThrownBy(() -> Planner.plan(profile, half(Stacks.ATOMS, OptionalInt.of(3))))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith("atom-width 3: expected a divisor of 4");
  }

  private static Goal half(Map<String, Double> tagFloors) {
    NarrowTerms one = new NarrowTerms(Weighting.BALANCED, OptionalInt.of(1), 0);
    return new Goal(
        Criteria.DEFAULT,
        Novice.ZERO,
        Plan.Router.KEEP,
        Ratio.parse("0.5"),
        model(),
        Limits.NONE,
        Optional.of(
            new NarrowTerms(
                one.weights(),
                one.step(),
                one.minWidth(),
                one.stacks(),
                one.atomWidth(),
                new TreeMap<>(tagFloors))));
  }

  /** Of ten calls of each of two experts, code made two and eight, text the others. */
  private static Profile ofCodeAndText(double[] first, double[] second) {
    BlockStatistics all = block("a", Widths.OWN, first, second);
    TreeMap<String, Statistics> sources = new TreeMap<>();
    MadeStatistics none = MadeStatistics.of(all.header()).sums();
    sources.put("code", none.with(Statistic.N, 2, 8).all());
    sources.put("text", none.with(Statistic.N, 8, 2).all());
    return profile(
        new BlockStatistics(all.all(), new Slices(new TreeMap<>(), sources), all.orders()));
  }

  /** Of the second expert's energy 4 of 9 go, and 1 of 9 where code is to keep more. */
  @Test
  void keepsWhatDataOfATagNeed() {
    Profile profile = ofCodeAndText(STEEP, FLAT);
    Plan free = Planner.plan(profile, half(Map.of()));
    Plan floored = Planner.plan(profile, half(Map.of("code", 0.95)));
    KeptEnergy kept = new KeptEnergy(profile, Novice.ZERO);

    assertThat(widths(free, "a")).containsExactly(3, 1);
    assertThat(kept.of(Optional.empty(), free.blocks())).isCloseTo(1 - 5 / 99.0, within(1e-12));
    assertThat(kept.byTag(free.blocks()).get("code"))
        .isCloseTo(1 - (0.2 * 1 + 0.8 * 4) / (0.2 * 90 + 0.8 * 9), within(1e-12));
    assertThat(kept.byTag(free.blocks()).get("text"))
        .isCloseTo(1 - (0.8 * 1 + 0.2 * 4) / (0.8 * 90 + 0.2 * 9), within(1e-12));
    assertThat(widths(floored, "a")).containsExactly(2, 2);
    assertThat(floored.budget().orElseThrow()).contains(", tag-floor code=0.95,");
    assertThat(widths(Planner.plan(profile, half(Map.of("text", 1.0))), "a")).containsExactly(3, 1);
  }

  @Test
  void refusesFloorsThatCannotBe() {
    Profile profile = ofCodeAndText(new double[] {90, 40, 20, 1, 0}, FLAT);

    assertThatThrownBy(() -> Planner.plan(profile, half(Map.of("code", 1.0, "text", 1.0))))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("cannot be met at ratio 0.5: found 0.")
        .hasMessageEndingWith("of what all data keep, expected at least 1.0");
    assertThatThrownBy(() -> Planner.plan(profile, half(Map.of("cod", 0.9))))
        .isInstanceOf(BadInputException.class)
        .hasMessage("tag-floor cod: expected a tag of the calibration data, found code, text");
    assertThatThrownBy(() -> half(Map.of("code", 1.01)))
        .isInstanceOf(BadInputException.class)
        .hasMessage("tag-floor code: found 1.01, expected a number above 0, at most 1");
  }

  @Test
  void refusesAtomsWhereNoExpertsAreStacked() {
    Profile profile = profile(block("a", Widths.OWN, STEEP, FLAT), block("b", Widths.ONE, FLAT));

    assertThatThrownBy(() -> Planner.plan(profile, half(Stacks.ATOMS, OptionalInt.empty())))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith("atoms: expected a block whose experts are stacked");
  }

  /** Four atoms of one neuron, three of them of one expert. */
  @Test
  void countsAtomsAndWhatTheyHaveBesideNeurons() {
    BlockStatistics block = block("a", Widths.ATOMS, STEEP, FLAT);
    Plan plan = Planner.plan(profile(block), half(model()));
    PlannedAtoms atoms = PlannedAtoms.of(plan.blocks().get(0), block).orElseThrow();
    Forecast stacked = Forecast.of(profile(block), plan, Novice.ZERO);
    Forecast apart = Forecast.of(profile(block("a", Widths.OWN, STEEP, FLAT)), plan, Novice.ZERO);

    assertThat(atoms).isEqualTo(new PlannedAtoms(1, 4, 3, 2));
    assertThat(stacked.bytes() - apart.bytes()).isEqualTo(4 * 8 * (2 * 3 + 4));
    assertThat(atoms.bytes(block.header(), NEURON - 2)).isEqualTo(2 * 8 + 4 * 8 * (2 * 3 + 4));
    assertThat(PlannedAtoms.width(OptionalInt.empty(), 96)).isEqualTo(12);
    assertThat(PlannedAtoms.width(OptionalInt.empty(), 9)).isEqualTo(3);
  }

  /** A mean that explains an expert makes all its neurons superfluous; it takes 8 bytes. */
  @Test
  void takesANoviceWhereItIsBetterThanNeurons() {
    BlockStatistics block = block("a", Widths.OWN, STEEP, STEEP);
    Goal means = goal("0.5", model(), Novice.GATE2, Limits.NONE, 0);

    Plan plan = Planner.plan(profile(block), means);

    assertThat(widths(plan, "a")).containsExactlyInAnyOrder(0, 3);
    assertThat(plan.novice()).contains(Novice.GATE2);
  }

  @Test
  void leavesProtectedAndLastExpertsSomeNeurons() {
    BlockStatistics block = block("a", Widths.OWN, FLAT, FLAT);
    Limits held = new Limits(OptionalInt.empty(), List.of(NamedExperts.parse("a:1")));

    assertThat(
            widths(Planner.plan(profile(block), goal("0.5", model(), Novice.ZERO, held, 0)), "a"))
        .containsExactly(0, 4);
    assertThat(
            widths(
                Planner.plan(profile(block), goal("0.875", model(), Novice.ZERO, Limits.NONE, 0)),
                "a"))
        .containsExactlyInAnyOrder(0, 1);
    assertThat(
            widths(
                Planner.plan(profile(block), goal("0.5", model(), Novice.ZERO, Limits.NONE, 2)),
                "a"))
        .containsExactly(2, 2);
    assertThatThrownBy(
            () -> Planner.plan(profile(block), goal("0.9", model(), Novice.ZERO, Limits.NONE, 0)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("take 100 bytes, expected at most 80");
  }

  @Test
  void namesBlocksWithoutOrdersAndLeavesThem() {
    BlockStatistics without =
        new MadeStatistics(
                new BlockHeader("opaque", "loop", 2, 1, 2, 0, 400), Detail.FULL, Map.of())
            .block();
    Plan plan = Planner.plan(profile(without, block("a", Widths.OWN, STEEP, STEEP)), half(model()));

    assertThat(widths(plan, "opaque")).containsExactly(4, 4);
    assertThatThrownBy(() -> Planner.plan(profile(without), half(model())))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("calibrate --moments");
  }

  @Test
  void refusesOrdersThatAreNone() {
    BlockStatistics broken = block("a", Widths.OWN, new double[] {1, 2, 3, 4, 5}, STEEP);

    assertThatThrownBy(() -> Planner.plan(profile(broken), half(model())))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith("block 'a': expert 0: removal order");
  }

  @Test
  void foreseesErrorsOfWidths() {
    Profile profile = profile(block("a", Widths.OWN, STEEP, FLAT));
    Plan plan = Planner.plan(profile, half(model()));
    Forecast forecast = Forecast.of(profile, plan, Novice.ZERO);
    double lost = STEEP[widths(plan, "a").get(0)] + FLAT[widths(plan, "a").get(1)];

    assertThat(forecast.worst().orElseThrow().error().orElseThrow())
        .isCloseTo(Math.sqrt(lost / 99), within(1e-12));
    assertThat(forecast.bytes()).isLessThan(1_000_000 + 20_000 - 4 * NEURON);
  }

  @Test
  void findsTheKneeOfACurve() {
    DamageForecast forecast =
        DamageForecast.of(profile(block("a", Widths.OWN, STEEP, FLAT)), half(model()));
    List<Double> damage = List.copyOf(forecast.damage().values());

    assertThat(forecast.damage().keySet()).containsExactly(10, 20, 30, 40, 50, 60, 70, 80);
    assertThat(IntStream.range(1, 8)).allMatch(i -> damage.get(i) >= damage.get(i - 1));
    assertThat(forecast.knee().orElseThrow()).isBetween(20, 70);
  }
}
