package io.moneonnx.pipeline;

import io.moneonnx.eval.ModelChanges;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.NeuronCut;
import io.moneonnx.moe.RoundedMatrix;
import io.moneonnx.narrow.DownMatrix;
import io.moneonnx.narrow.Moments;
import io.moneonnx.narrow.Refit;
import io.moneonnx.narrow.RemovalOrder;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.run.RunOptions;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a plan does to a model, with novices from a profile, and with down projections that are
 * re-fitted to the neurons that experts keep.
 */
final class PlannedChanges {
  private final LoadedModel subject;
  private final RunOptions options;
  private final Console console;

  PlannedChanges(LoadedModel subject, RunOptions options, Console console) {
    this.subject = subject;
    this.options = options;
    this.console = console;
  }

  /**
   * The same with down projections that are re-fitted jointly, if they are to be.
   *
   * @param refit what they are fitted on
   */
  Map<String, Change> of(
      Profile profile, Plan plan, Novice novice, Optional<RefitJointly.Data> refit) {
    Map<String, Change> changes = of(profile, plan, novice);
    return refit
        .map(on -> new RefitJointly(subject, options, console).of(profile, changes, on))
        .orElse(changes);
  }

  /**
   * By name of block; others stay as they are.
   *
   * @throws BadInputException if the plan does nothing, if the profile is of other blocks, or holds
   *     no moments of those that are to be narrowed
   */
  Map<String, Change> of(Profile profile, Plan plan, Novice novice) {
    Map<String, Change> changes =
        new LinkedHashMap<>(ModelChanges.of(plan, novice, profile).changes());
    List<Plan.Block> narrowed =
        plan.blocks().stream()
            .filter(block -> block.narrowed().isPresent())
            .map(
                block ->
                    withoutWhole(block, ModelChanges.measured(block, profile).header().inner()))
            .filter(block -> block.narrowed().isPresent())
            .toList();
    if (changes.isEmpty() && narrowed.isEmpty()) {
      throw new BadInputException("the plan prunes no expert and narrows none");
    }
    requireQuantised(plan, narrowed);
    Stream.concat(
            plan.blocks().stream().filter(block -> changes.containsKey(block.name())),
            narrowed.stream())
        .forEach(block -> requireSame(block, profile));
    long experts = narrowed.stream().mapToLong(block -> block.narrowed().get().size()).sum();
    String what = "narrowing %,d experts".formatted(experts);
    if (experts > 0) {
      try (Console.Progress progress = console.begin(what, experts)) {
        NeuronWork work = new NeuronWork(subject, options);
        for (Plan.Block block : narrowed) {
          changes.merge(
              block.name(),
              Replacement.byNarrow(narrow(block, profile, plan.isRequantized(), work, progress)),
              PlannedChanges::both);
        }
      }
    }
    return changes;
  }

  private void requireQuantised(Plan plan, List<Plan.Block> narrowed) {
    boolean isQuantised =
        narrowed.stream()
            .anyMatch(block -> neurons(subject.block(block.name())).group().isPresent());
    if (plan.isRequantized() && !isQuantised) {
      throw new BadInputException(
          "--requantize: expected narrowed experts whose down projections are quantised, found none");
    }
  }

  private NeuronCut neurons(MoeBlock block) {
    return NeuronCut.of(subject.model().graph(), block);
  }

  /** Experts that keep all their neurons stay as they are, byte by byte. */
  private static Plan.Block withoutWhole(Plan.Block planned, int inner) {
    return new Plan.Block(
        planned.name(),
        planned.experts(),
        planned.pruned(),
        planned
            .narrowed()
            .map(some -> some.stream().filter(expert -> !isWhole(expert, inner)).toList()));
  }

  private static boolean isWhole(Plan.Narrowed expert, int inner) {
    return expert.width() == inner
        && expert.kept().stream().flatMap(List::stream).allMatch(neuron -> neuron < inner);
  }

  private static Change both(Change novices, Change narrow) {
    return new Replacement(((Replacement) novices).novices(), ((Replacement) narrow).narrow());
  }

  private Map<Integer, NarrowExpert> narrow(
      Plan.Block planned,
      Profile profile,
      boolean isRequantized,
      NeuronWork work,
      Console.Progress progress) {
    MoeBlock block = subject.block(planned.name());
    BlockStatistics measured = ModelChanges.measured(planned, profile);
    if (measured.all().detail() != Detail.MOMENTS) {
      throw new BadInputException(
          "block '%s': its experts are to be narrowed, and the profile holds no moments of their neurons: calibrate with --moments"
              .formatted(planned.name()));
    }
    Map<Integer, Plan.Narrowed> wanted =
        planned.narrowed().orElseThrow().stream()
            .collect(Collectors.toMap(Plan.Narrowed::expert, Function.identity()));
    List<Integer> experts = List.copyOf(wanted.keySet());
    NeuronCut neurons = neurons(block);
    boolean isRounded = neurons.group().isPresent() && isRequantized;
    Map<Integer, Rounding> roundings = new ConcurrentHashMap<>();
    List<NarrowExpert> made =
        work.each(
            block,
            neurons,
            measured,
            experts,
            (expert, moments, down) -> {
              int[] kept = kept(wanted.get(expert), measured, neurons, moments, down);
              progress.step();
              if (isRounded) {
                Rounding rounding = rounding(block, expert, moments, down, kept);
                roundings.put(expert, rounding);
                return rounding.made();
              }
              return neurons.group().isPresent()
                  ? new NarrowExpert(kept)
                  : new NarrowExpert(kept, Refit.of(moments, down, kept).toFloats());
            });
    if (isRounded) {
      say(block, experts.stream().map(roundings::get).toList());
    }
    Map<Integer, NarrowExpert> narrow = new HashMap<>();
    for (int i = 0; i < made.size(); i++) {
      narrow.put(experts.get(i), made.get(i));
    }
    return narrow;
  }

  /**
   * An expert that was rounded again, and what it is off by, each {@code sum g^2 ||f - f'||^2}.
   *
   * @param energy without any neurons
   * @param cut with the columns that it had
   * @param refitted with those that were re-fitted
   * @param rounded with what they were rounded to
   */
  private record Rounding(
      NarrowExpert made, double energy, double cut, double refitted, double rounded) {}

  private Rounding rounding(
      MoeBlock block, int expert, Moments moments, DownMatrix down, int... kept) {
    List<Ffn> ffns = block.ffn();
    Ffn ffn = ffns.get(ffns.size() < block.experts() ? 0 : expert);
    DownMatrix refitted = Refit.of(moments, down, kept);
    RoundedMatrix rounded = RoundedMatrix.of(subject.model().graph(), ffn, refitted.toFloats());
    DownMatrix read = DownMatrix.of(block.hidden(), kept.length, rounded.toFloats());
    return new Rounding(
        NarrowExpert.rounded(kept, rounded),
        Refit.error(moments, down, new int[0], DownMatrix.of(block.hidden(), 0, new float[0])),
        Refit.error(moments, down, kept, Refit.columns(down, kept)),
        Refit.error(moments, down, kept, refitted),
        Refit.error(moments, down, kept, read));
  }

  private void say(MoeBlock block, List<Rounding> roundings) {
    double energy = roundings.stream().mapToDouble(Rounding::energy).sum();
    List<ToDoubleFunction<Rounding>> errors =
        List.of(Rounding::cut, Rounding::refitted, Rounding::rounded);
    List<String> parts =
        errors.stream()
            .map(
                error ->
                    100
                        * roundings.stream().mapToDouble(error).sum()
                        / Math.max(energy, Double.MIN_NORMAL))
            .map(percent -> String.format(Locale.ROOT, "%.2f%%", percent))
            .toList();
    console.say(
        "'%s': narrowed experts are off by %s of their energy where they are cut, %s re-fitted, %s requantised"
            .formatted(block.name(), parts.get(0), parts.get(1), parts.get(2)));
  }

  /** Those of the plan, or the last of their order. */
  private static int[] kept(
      Plan.Narrowed wanted,
      BlockStatistics measured,
      NeuronCut neurons,
      Moments moments,
      DownMatrix down) {
    int inner = moments.inner();
    boolean isThere =
        wanted.width() <= inner
            && wanted.kept().stream().flatMap(List::stream).allMatch(neuron -> neuron < inner);
    if (!isThere) {
      throw new BadInputException(
          "the plan keeps %d neurons%s, expected some of 0 to %d"
              .formatted(
                  wanted.width(),
                  wanted
                      .kept()
                      .map(kept -> ", the last %d".formatted(kept.get(kept.size() - 1)))
                      .orElse(""),
                  inner - 1));
    }
    return wanted
        .kept()
        .map(kept -> kept.stream().mapToInt(Integer::intValue).toArray())
        .orElseGet(
            () ->
                measured
                    .orders()
                    .map(
                        orders ->
                            RemovalOrder.of(
                                orders.removed(wanted.expert()),
                                orders.distortions(wanted.expert())))
                    .orElseGet(() -> OrderNeurons.order(neurons, moments, down))
                    .kept(wanted.width()));
  }

  private void requireSame(Plan.Block planned, Profile profile) {
    MoeBlock block = subject.block(planned.name());
    BlockHeader profiled = ModelChanges.measured(planned, profile).header();
    if (profiled.experts() != block.experts()
        || profiled.topK() != block.topK()
        || profiled.hidden() != block.hidden()) {
      throw new BadInputException(
          "block '%s' has %d experts, top %d, hidden %d; in the profile it is %s"
              .formatted(block.name(), block.experts(), block.topK(), block.hidden(), profiled));
    }
  }
}
