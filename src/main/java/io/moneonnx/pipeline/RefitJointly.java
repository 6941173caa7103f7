package io.moneonnx.pipeline;

import io.moneonnx.data.Batch;
import io.moneonnx.data.Calibration;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.NeuronCut;
import io.moneonnx.narrow.DownMatrix;
import io.moneonnx.narrow.JointRefit;
import io.moneonnx.observe.BlockResidual;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.Oracle;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Re-fits the down projections of a narrowed model to what its residual stream lacks, block after
 * block from the first that is changed: those of all experts of a block at once, experts that keep
 * all their neurons among them, behind blocks that are re-fitted already.
 *
 * <p>The narrowed model is observed as the oracle has it: at full width, in which the values of the
 * original have their names.
 */
final class RefitJointly {
  private final LoadedModel subject;
  private final RunOptions options;
  private final Console console;

  RefitJointly(LoadedModel subject, RunOptions options, Console console) {
    this.subject = subject;
    this.options = options;
    this.console = console;
  }

  /**
   * What to fit on.
   *
   * @param tokens about so many, spread evenly over all of the data
   */
  record Data(Calibration all, int tokens) {
    List<Batch> batches() {
      return all.spread(tokens);
    }

    /** For metadata. */
    @Override
    public String toString() {
      return "jointly on %,d tokens"
          .formatted(all.tokens() == 0 ? tokens : Math.min(tokens, all.tokens()));
    }
  }

  /**
   * The same changes with other down projections.
   *
   * @param profile blocks that it has no moments of are left as they are
   * @throws BadInputException if no expert is narrowed, no block can be re-fitted, or something
   *     observed is not finite
   */
  Map<String, Change> of(Profile profile, Map<String, Change> changes, Data data) {
    List<Batch> batches = data.batches();
    if (changes.values().stream().allMatch(change -> change.narrowed().isEmpty())) {
      throw new BadInputException("--refit: expected a plan that narrows experts, found none");
    }
    Map<String, Change> refitted = new LinkedHashMap<>(changes);
    List<MoeBlock> blocks = blocks(profile, changes);
    if (blocks.isEmpty()) {
      throw new BadInputException("--refit: no block can be re-fitted jointly");
    }
    String what =
        "re-fitting %d blocks jointly on %,d sequences".formatted(blocks.size(), batches.size());
    try (Console.Progress progress = console.begin(what, (long) blocks.size() * batches.size())) {
      for (MoeBlock block : blocks) {
        Map<Integer, NarrowExpert> narrow = narrow(block, refitted.get(block.name()));
        Model narrowed = Oracle.of(subject.model(), subject.blocks(), refitted).model();
        JointRefit refit = observed(block, narrowed, narrow, batches, progress);
        refitted.merge(block.name(), corrected(block, narrow, refit), RefitJointly::withNovices);
      }
    }
    return refitted;
  }

  /** From the first that is changed on; says which cannot be re-fitted and why. */
  private List<MoeBlock> blocks(Profile profile, Map<String, Change> changes) {
    List<MoeBlock> blocks = new ArrayList<>();
    boolean isBehind = false;
    for (MoeBlock block : subject.blocks()) {
      isBehind |= changes.containsKey(block.name());
      boolean isMeasured =
          profile
              .block(block.name())
              .filter(measured -> measured.all().detail() == Detail.MOMENTS)
              .isPresent();
      if (isBehind && isMeasured) {
        Optional<String> objection = objection(block, changes.get(block.name()));
        objection.ifPresent(
            reason ->
                console.say("'%s' is not re-fitted jointly: %s".formatted(block.name(), reason)));
        if (objection.isEmpty()) {
          blocks.add(block);
        }
      }
    }
    return blocks;
  }

  private Optional<String> objection(MoeBlock block, Change change) {
    NeuronCut neurons = NeuronCut.of(subject.model().graph(), block);
    Map<Integer, NarrowExpert> whole = new TreeMap<>();
    kept(block, change).forEach(expert -> whole.put(expert, whole(block, new float[0])));
    return whole.isEmpty()
        ? Optional.of("no expert is left")
        : neurons
            .objection(whole, change == null ? Set.of() : Set.copyOf(change.experts()))
            .or(() -> BlockResidual.objection(subject.model(), block));
  }

  private static List<Integer> kept(MoeBlock block, Change change) {
    return block.owners().stream()
        .filter(expert -> change == null || !change.experts().contains(expert))
        .toList();
  }

  private static NarrowExpert whole(MoeBlock block, float[] down) {
    int[] all = IntStream.range(0, block.inner()).toArray();
    return new NarrowExpert(all, down.length == 0 ? new float[block.hidden() * all.length] : down);
  }

  /** The experts that are left as they are now. */
  private Map<Integer, NarrowExpert> narrow(MoeBlock block, Change change) {
    NeuronCut neurons = NeuronCut.of(subject.model().graph(), block);
    IntFunction<DownMatrix> down = new DownWeights(subject).of(block, neurons);
    Map<Integer, NarrowExpert> narrow = new TreeMap<>();
    for (int expert : kept(block, change)) {
      narrow.put(
          expert,
          change instanceof Replacement replacement && replacement.narrow().containsKey(expert)
              ? replacement.narrow().get(expert)
              : whole(block, down.apply(expert).toFloats()));
    }
    return narrow;
  }

  private JointRefit observed(
      MoeBlock block,
      Model narrowed,
      Map<Integer, NarrowExpert> narrow,
      List<Batch> batches,
      Console.Progress progress) {
    List<Integer> experts = List.copyOf(narrow.keySet());
    JointRefit refit =
        new JointRefit(block.hidden(), narrow.values().stream().map(NarrowExpert::width).toList());
    try (BlockResidual models =
        BlockResidual.open(subject.model(), narrowed, subject.folder(), block, options)) {
      for (Batch batch : batches) {
        BlockResidual.Run run = models.run(batch);
        IntStream.range(0, experts.size())
            .parallel()
            .forEach(
                i -> {
                  int expert = experts.get(i);
                  List<Integer> neurons = narrow.get(expert).neurons();
                  refit.add(
                      i, run.called(expert), run.activations(expert, neurons), run.residual());
                });
        refit.next(run.residual());
        progress.step();
      }
    }
    return refit;
  }

  private Change corrected(MoeBlock block, Map<Integer, NarrowExpert> narrow, JointRefit refit) {
    JointRefit.Solution solution = refit.solve();
    console.say(
        "'%s': what its residual stream lacks falls by %.1f%% in energy"
            .formatted(
                block.name(),
                solution.before() == 0 ? 0.0 : 100 * (1 - solution.after() / solution.before())));
    Map<Integer, NarrowExpert> corrected = new TreeMap<>();
    int i = 0;
    for (Map.Entry<Integer, NarrowExpert> expert : narrow.entrySet()) {
      corrected.put(expert.getKey(), corrected(expert.getValue(), solution.corrections().get(i++)));
    }
    return Replacement.byNarrow(corrected);
  }

  private static NarrowExpert corrected(NarrowExpert expert, DownMatrix correction) {
    int width = expert.width();
    float[] down = new float[expert.hidden() * width];
    for (int at = 0; at < down.length; at++) {
      int row = at / width;
      int column = at % width;
      down[at] = (float) (expert.down(row, column) + correction.at(row, column));
    }
    return new NarrowExpert(expert.neurons().stream().mapToInt(Integer::intValue).toArray(), down);
  }

  private static Change withNovices(Change before, Change narrow) {
    return new Replacement(((Replacement) before).novices(), ((Replacement) narrow).narrow());
  }
}
