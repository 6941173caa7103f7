package io.moneonnx.observe;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Refusal;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Runs an observed model over calibration data and merges what it says, batch by batch. */
public final class Calibrator {
  private final Path folder;
  private final List<MoeBlock> blocks;
  private final RunOptions options;
  private final Observer.Observed observed;

  /**
   * A calibrator for these blocks of a model.
   *
   * @param folder where the model's files lie
   */
  public Calibrator(Model model, Path folder, List<MoeBlock> blocks, RunOptions options) {
    this.folder = folder;
    this.blocks = List.copyOf(blocks);
    this.options = options;
    this.observed = Observer.observe(model, this.blocks);
  }

  /**
   * What a calibration found.
   *
   * @param statistics of each block that is proved, in graph order
   * @param disproved blocks whose output was not the sum of coefficients times rows
   * @param device what the model ran on
   */
  public record Outcome(List<BlockStatistics> statistics, List<Refusal> disproved, Device device) {}

  /**
   * Runs once over all feeds.
   *
   * @param afterBatch is shown the feeds of each run after it
   * @throws BadInputException if there are no feeds, or an expert's output is not finite
   */
  public Outcome run(
      Iterable<Map<String, Tensor>> feeds, Consumer<Map<String, Tensor>> afterBatch) {
    Map<String, BlockStatistics> merged = new LinkedHashMap<>();
    Map<String, Refusal> disproved = new LinkedHashMap<>();
    List<String> outputs = observed.taps().stream().flatMap(tap -> tap.names().stream()).toList();
    try (Session session = open(observed.tapsOnly())) {
      int batches = 0;
      for (Map<String, Tensor> feed : feeds) {
        Map<String, Tensor> values = session.run(withValid(feed), outputs);
        batches++;
        for (int i = 0; i < blocks.size(); i++) {
          Batch batch = new Batch(blocks.get(i), observed.taps().get(i), values, batches);
          Optional<Refusal> refusal = batch.disproof();
          if (refusal.isPresent()) {
            disproved.putIfAbsent(batch.name(), refusal.get());
          } else if (!disproved.containsKey(batch.name())) {
            merged.merge(
                batch.name(),
                batch.statistics().ofBatch(batches - 1L, Optional.empty()),
                BlockStatistics::merge);
          }
        }
        afterBatch.accept(feed);
      }
      if (batches == 0) {
        throw new BadInputException("the calibration data hold nothing to run");
      }
      disproved.keySet().forEach(merged::remove);
      return new Outcome(
          new ArrayList<>(merged.values()), List.copyOf(disproved.values()), session.device());
    }
  }

  /** The model's own outputs from one observed run, to compare with a plain one. */
  public Map<String, Tensor> outputs(Map<String, Tensor> feed, List<String> outputs) {
    try (Session session = open(observed.model())) {
      return session.run(withValid(feed), outputs);
    }
  }

  private Session open(Model observedModel) {
    return Session.open(
        "the observed model", OnnxWriter.toBytes(observedModel, folder), folder, options);
  }

  private Map<String, Tensor> withValid(Map<String, Tensor> feed) {
    Map<String, Tensor> all = new HashMap<>(feed);
    observed.valid().forEach((padding, input) -> all.put(input, padding.valid(feed)));
    return all;
  }
}
