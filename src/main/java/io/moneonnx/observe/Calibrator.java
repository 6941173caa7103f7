package io.moneonnx.observe;

import io.moneonnx.data.Batch;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Refusal;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Measured;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Runs an observed model over calibration data and merges what it says, batch by batch. */
public final class Calibrator {
  /** The first runs in which all outputs are compared with what their rows come to. */
  static final int CHECKED_AT_FIRST = 2;

  private final Path folder;
  private final List<MoeBlock> blocks;
  private final RunOptions options;
  private final Moments moments;
  private final Observer.Observed observed;

  /**
   * A calibrator for these blocks of a model.
   *
   * @param model in its canonical spelling, in which the blocks were found
   * @param folder where the model's files lie
   */
  public Calibrator(Model model, Path folder, List<MoeBlock> blocks, RunOptions options) {
    this(model, folder, blocks, options, Detail.FULL);
  }

  /**
   * A calibrator that observes as much of each block as its graph shows.
   *
   * @param detail how much is wanted
   */
  public Calibrator(
      Model model, Path folder, List<MoeBlock> blocks, RunOptions options, Detail detail) {
    this(model, folder, blocks, options, Moments.on(Session.expected(options.device())), detail);
  }

  Calibrator(
      Model model,
      Path folder,
      List<MoeBlock> blocks,
      RunOptions options,
      Moments moments,
      Detail detail) {
    this.folder = folder;
    this.blocks = List.copyOf(blocks);
    this.options = options;
    this.moments = moments;
    this.observed = Observer.observe(model, this.blocks, moments, detail);
  }

  /**
   * What a calibration found.
   *
   * @param statistics of each block that is proved, in graph order
   * @param disproved blocks whose output was not the sum of routing weights times rows
   * @param device what the model ran on
   */
  public record Outcome(List<BlockStatistics> statistics, List<Refusal> disproved, Device device) {}

  /**
   * Runs once over all feeds, which have no names.
   *
   * @throws BadInputException if there are no feeds, or an expert's output is not finite
   */
  public Outcome run(Iterable<Map<String, Tensor>> feeds) {
    try (Pass pass = begin(NonFinite.STOP, 0)) {
      Measured measured = Measured.NOTHING;
      for (Map<String, Tensor> feed : feeds) {
        measured = pass.add(measured, Batch.of(feed));
      }
      return pass.outcome(measured);
    }
  }

  /**
   * Loads the observed model.
   *
   * @param before runs of other passes, that observed other blocks on the same data
   */
  public Pass begin(NonFinite nonFinite, long before) {
    return new Pass(open(observed.tapsOnly()), nonFinite, before);
  }

  /** The observed model at work. */
  public final class Pass implements AutoCloseable {
    private final Session session;
    private final NonFinite nonFinite;
    private final long runsBefore;
    private final List<String> outputs =
        observed.taps().stream().flatMap(taps -> taps.outputs().stream()).toList();

    private Pass(Session session, NonFinite nonFinite, long runsBefore) {
      this.session = session;
      this.nonFinite = nonFinite;
      this.runsBefore = runsBefore;
    }

    /**
     * Runs the model once.
     *
     * @param before what was measured before
     * @return that, and what this run says
     * @throws BadInputException if an expert's output is not finite and the calibration is to stop
     */
    public Measured add(Measured before, Batch batch) {
      long number = before.batches() - runsBefore;
      Predicate<Taps> checked =
          taps -> isChecked(number + 1) || before.disproved().containsKey(taps.block());
      Map<String, Tensor> values = session.run(fed(batch.feeds(), checked), outputs);
      Merging merging = new Merging(before, batch, number);
      for (int i = 0; i < blocks.size(); i++) {
        Taps taps = observed.taps().get(i);
        merging.take(
            new BlockReading(
                blocks.get(i),
                taps,
                taps.split(values.get(taps.output())),
                taps.neurons().map(values::get),
                batch),
            nonFinite);
      }
      return merging.measured();
    }

    /** What the model runs on. */
    public Device device() {
      return session.device();
    }

    /**
     * What it all comes to.
     *
     * @throws BadInputException if nothing was run
     */
    public Outcome outcome(Measured measured) {
      if (measured.batches() == 0) {
        throw new BadInputException("the calibration data hold nothing to run");
      }
      List<Refusal> disproved =
          measured.disproved().entrySet().stream()
              .map(block -> new Refusal(block.getKey(), block.getValue()))
              .toList();
      return new Outcome(measured.statistics(), disproved, device());
    }

    @Override
    public void close() {
      session.close();
    }
  }

  /** The model's own outputs from one observed run, to compare with a plain one. */
  public Map<String, Tensor> outputs(Map<String, Tensor> feed, List<String> outputs) {
    try (Session session = open(observed.model())) {
      return session.run(fed(feed, taps -> true), outputs);
    }
  }

  private Session open(Model observedModel) {
    return Session.open("the observed model", inPieces(observedModel), folder, options);
  }

  /**
   * Pieces are rounds of a loop: on a GPU the host waits for each, so there only for want of
   * memory.
   */
  private Model inPieces(Model observedModel) {
    return moments == Moments.BY_EXPERT
        ? options.inPieces(observedModel)
        : options.fitting(observedModel);
  }

  /**
   * Whether outputs are rebuilt from their rows in a run: in the first, the second, the fourth, the
   * eighth, ...
   */
  private static boolean isChecked(long number) {
    return Long.bitCount(number) == 1;
  }

  /** A block that was disproved is computed as it is from then on. */
  private Map<String, Tensor> fed(Map<String, Tensor> feed, Predicate<Taps> checked) {
    Map<String, Tensor> all = new HashMap<>(feed);
    for (Taps taps : observed.taps()) {
      byte[] check = {(byte) (checked.test(taps) ? 1 : 0)};
      all.put(
          taps.check(), new Tensor.Inline(ElementType.BOOL, List.of(1L), ByteBuffer.wrap(check)));
    }
    observed.valid().forEach((padding, input) -> all.put(input, padding.valid(feed)));
    return all;
  }
}
