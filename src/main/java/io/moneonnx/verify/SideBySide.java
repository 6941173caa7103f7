package io.moneonnx.verify;

import io.moneonnx.data.UnmaskedTokens;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A model and one that was made of it, opened as their files are and run on the same inputs. Values
 * of blocks that are compared become further outputs.
 */
public final class SideBySide implements AutoCloseable {
  private static final String TOKENS = "input_ids";

  private final Optional<Logits> logits;
  private final List<String> outputs;
  private final PairedBlocks blocks;
  private final Opened before;
  private final Opened after;

  /** A model in its canonical spelling, and the file that it was read from. */
  public record Side(Path file, Model model) {
    private Opened open(List<String> outputs, Set<String> values, RunOptions options) {
      Set<String> asked = new LinkedHashSet<>(outputs);
      asked.addAll(values);
      return new Opened(open(values, options), asked);
    }

    private Session open(Set<String> values, RunOptions options) {
      Path folder = file.toAbsolutePath().getParent();
      Model tapped = values.isEmpty() ? model : ProofRuns.withOutputs(model, values);
      Model fitting = options.fitting(tapped);
      return values.isEmpty() && fitting.equals(model)
          ? Session.open(file, options)
          : Session.open(file.toString(), fitting, folder, options);
    }
  }

  /** A model that is ready to run, and what is asked of it. */
  private record Opened(Session session, Set<String> asked) {
    Map<String, Tensor> run(Map<String, Tensor> feeds) {
      return session.run(feeds, asked);
    }
  }

  private SideBySide(
      Optional<Logits> logits,
      List<String> outputs,
      PairedBlocks blocks,
      Opened before,
      Opened after) {
    this.logits = logits;
    this.outputs = outputs;
    this.blocks = blocks;
    this.before = before;
    this.after = after;
  }

  /**
   * Opens both.
   *
   * @param logits where the models score next tokens, if they do
   * @param blocks those of the original that are compared
   * @throws BadInputException if the models do not take and give the same
   */
  public static SideBySide open(
      Side before, Side after, Optional<Logits> logits, List<MoeBlock> blocks, RunOptions options) {
    requireAlike(before, after);
    List<String> outputs = Proof.floatingOutputs(before.model().graph());
    PairedBlocks pairs = PairedBlocks.of(before.model(), blocks, after.model());
    Opened original = before.open(outputs, pairs.values(PairedBlock::valuesBefore), options);
    try {
      Opened pruned = after.open(outputs, pairs.values(PairedBlock::valuesAfter), options);
      return new SideBySide(logits, outputs, pairs, original, pruned);
    } catch (RuntimeException e) {
      original.session().close();
      throw e;
    }
  }

  private static void requireAlike(Side before, Side after) {
    Mismatch.find(before.model().graph(), after.model().graph())
        .ifPresent(
            mismatch -> {
              throw new BadInputException(
                  "%s and %s cannot be compared: %s"
                      .formatted(before.file(), after.file(), mismatch));
            });
  }

  /** What cannot be told of blocks and why, a line each. */
  public List<String> missing() {
    return blocks.missing();
  }

  /** Whether a router lost experts: calls that chose them go elsewhere then. */
  public boolean isRouterCut() {
    return blocks.blocks().stream().anyMatch(PairedBlock::isCut);
  }

  /**
   * Runs both on the same inputs.
   *
   * @throws BadInputException if logits would pass 2 GiB, or a value has another shape in the
   *     pruned model
   */
  public Drift.Run run(Map<String, Tensor> feeds) {
    logits.ifPresent(scores -> scores.requireRoom(feeds));
    String ids = logits.flatMap(Logits::tokens).orElse(TOKENS);
    UnmaskedTokens shown = UnmaskedTokens.of(feeds, ids);
    RunTokens tokens = new RunTokens(shown);
    Map<String, Tensor> expected = before.run(feeds);
    Map<String, Tensor> found = after.run(feeds);
    Map<String, Distance> moved = new LinkedHashMap<>();
    for (String output : outputs) {
      moved.put(
          output,
          tokens.distance(
              "output '%s'".formatted(output), expected.get(output), found.get(output)));
    }
    Map<String, BlockDrift> blockDrift = new LinkedHashMap<>();
    for (PairedBlock pair : blocks.blocks()) {
      blockDrift.put(pair.block().name(), pair.drift(expected, found, tokens));
    }
    List<Position> positions =
        logits
            .map(scores -> Positions.of(scores, feeds, shown))
            .map(at -> at.compared(expected, found))
            .orElse(List.of());
    return new Drift.Run(moved, positions, blockDrift);
  }

  @Override
  public void close() {
    try {
      before.session().close();
    } finally {
      after.session().close();
    }
  }
}
