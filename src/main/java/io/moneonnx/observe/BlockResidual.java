package io.moneonnx.observe;

import io.moneonnx.data.Batch;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.Activations;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.ResidualStream;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A model and one whose experts were changed, side by side up to one block: what the residual
 * stream behind it lacks in the changed one, and what the down projections of its experts read
 * there.
 *
 * <pre>{@code
 * residual = stream of the original - stream of the changed model    [tokens, hidden]
 * features = a * g of the rows of expert 0, of expert 1, ..          [N, inner]
 * }</pre>
 */
public final class BlockResidual implements AutoCloseable {
  private static final String VALID = "mone.valid";

  private final MoeBlock block;
  private final Padding padding;
  private final Tapped before;
  private final Tapped after;

  private BlockResidual(MoeBlock block, Padding padding, Tapped before, Tapped after) {
    this.block = block;
    this.padding = padding;
    this.before = before;
    this.after = after;
  }

  /** Why this cannot be observed of a block; empty if it can. */
  public static Optional<String> objection(Model model, MoeBlock block) {
    Ops ops = new Ops(new GraphEdit(model), "mone.asked");
    Optional<ResidualStream> stream = ResidualStream.after(model.graph(), block.claim());
    if (block.activations(ops).isEmpty()) {
      return Optional.of("what its down projections read is not shown");
    } else if (stream.isEmpty()) {
      return Optional.of("no residual stream is found behind it");
    } else if (!stream.get().adds(model.graph(), block.output())) {
      return Optional.of(
          "what it puts out is changed before it is added to the residual stream '%s'"
              .formatted(stream.get().sum().output()));
    }
    return Optional.empty();
  }

  /**
   * Opens both.
   *
   * @param original in its canonical spelling, in which the block was found
   * @param changed the same with experts changed, values of the original under their names
   * @param folder where the original's files lie
   * @param block to which there is no {@link #objection}
   */
  public static BlockResidual open(
      Model original, Model changed, Path folder, MoeBlock block, RunOptions options) {
    Node sum = ResidualStream.after(original.graph(), block.claim()).orElseThrow().sum();
    Tapped before =
        Tapped.open("the original", tapped(original, sum, block, false), folder, options);
    try {
      Tapped after =
          Tapped.open("the narrowed model", tapped(changed, sum, block, true), folder, options);
      return new BlockResidual(block, Padding.of(original.graph(), block), before, after);
    } catch (RuntimeException e) {
      before.close();
      throw e;
    }
  }

  /** A model with nothing but these outputs. */
  private record Taps(Model model, List<String> outputs) {}

  private static Taps tapped(Model model, Node sum, MoeBlock block, boolean withFeatures) {
    GraphEdit edit = new GraphEdit(model);
    Ops ops = new Ops(edit, "mone.residual");
    Node now = model.graph().producer(sum.output()).orElseThrow();
    String indices = block.routing().indices(ops);
    String shape = ops.concat(0, List.of(ops.size(indices, 0), ops.vector(-1)));
    String stream = ops.reshape(new ResidualStream(now).value(ops), shape);
    List<Value> outputs = new ArrayList<>();
    outputs.add(Value.untyped(ops.cast(stream, ElementType.FLOAT), ElementType.FLOAT));
    if (withFeatures) {
      edit.addInput(Value.untyped(VALID, ElementType.FLOAT));
      outputs.addAll(features(ops, block, indices));
    }
    outputs.forEach(edit::addOutput);
    Model edited = edit.apply();
    return new Taps(
        edited.withGraph(DeadCode.remove(edited.graph().withOutputs(outputs))),
        outputs.stream().map(Value::name).toList());
  }

  /** Rows expert after expert, the slot of each, and where those of each expert begin. */
  private static List<Value> features(Ops ops, MoeBlock block, String indices) {
    String chosen = ops.reshape(indices, -1);
    String routingWeights = block.routingWeights().perChoice(ops, block.routing(), indices);
    String each = ops.reshape(ops.expand(VALID, ops.size(indices, 0)), -1, 1);
    String kept = block.routing().choice().whereKept(ops, each, ElementType.FLOAT);
    String counting = ops.reshape(ops.expand(kept, ops.shape(indices)), -1);
    Activations activations = block.activations(ops).orElseThrow();
    Optional<String> slots = activations.slots();
    String made =
        ExpertRows.made(
            ops,
            block.experts(),
            ExpertRows.byRow(ops, slots, chosen),
            ExpertRows.byRow(ops, slots, counting));
    RowsByExpert rows = RowsByExpert.of(ops, block.experts(), made, ops.reduceSum(made, true, 1));
    String gates = ops.cast(ops.reshape(routingWeights, -1), ElementType.FLOAT);
    String weights = ops.reshape(ExpertRows.byRow(ops, slots, gates), -1, 1);
    List<String> parts = new ArrayList<>();
    for (int expert = 0; expert < block.experts(); expert++) {
      String from = ops.gather(rows.bounds(), ops.vector(expert));
      String to = ops.gather(rows.bounds(), ops.vector(expert + 1L));
      String own = ops.slice(rows.row(), 0, from, to);
      String a = ops.cast(activations.of(ops, ops.vector(expert), own), ElementType.FLOAT);
      parts.add(ops.mul(a, ops.gather(weights, own)));
    }
    String slot = slots.map(all -> ops.gather(all, rows.row())).orElse(rows.row());
    return List.of(
        Value.untyped(ops.concat(0, parts), ElementType.FLOAT),
        Value.untyped(ops.add(slot, ops.vector(0)), ElementType.INT64),
        Value.untyped(ops.add(rows.bounds(), ops.vector(0)), ElementType.INT64));
  }

  /** A session and what is asked of it. */
  private record Tapped(Session session, List<String> outputs) implements AutoCloseable {
    static Tapped open(String name, Taps taps, Path folder, RunOptions options) {
      Session session = Session.open(name, options.fitting(taps.model()), folder, options);
      return new Tapped(session, taps.outputs());
    }

    List<Tensor> run(Map<String, Tensor> feeds) {
      Map<String, Tensor> wanted = new HashMap<>(feeds);
      wanted.keySet().retainAll(session.inputs());
      return List.copyOf(session.run(wanted, outputs).values());
    }

    @Override
    public void close() {
      session.close();
    }
  }

  /** What one run says. */
  public static final class Run {
    private final int inner;
    private final long topK;
    private final float[] residual;
    private final float[] features;
    private final long[] slots;
    private final long[] bounds;
    private final int tokens;

    private Run(MoeBlock block, float[] residual, int tokens, List<Tensor> features) {
      this.inner = block.inner();
      this.topK = block.topK();
      this.residual = residual;
      this.tokens = tokens;
      this.features = features.get(0).toFloats();
      this.slots = features.get(1).toLongs();
      this.bounds = features.get(2).toLongs();
    }

    /** What the stream lacks, {@code [tokens, hidden]}; 0 for tokens that do not count. */
    public float[] residual() {
      return residual;
    }

    /** How many tokens count. */
    public int tokens() {
      return tokens;
    }

    /** The tokens that count and chose an expert, by their number in the run. */
    public int[] called(int expert) {
      return IntStream.range((int) bounds[expert], (int) bounds[expert + 1])
          .map(row -> (int) (slots[row] / topK))
          .toArray();
    }

    /** The activations of some of its neurons times routing weights, {@code [called, neurons]}. */
    public float[] activations(int expert, List<Integer> neurons) {
      int[] columns = neurons.stream().mapToInt(Integer::intValue).toArray();
      int first = (int) bounds[expert];
      int count = (int) bounds[expert + 1] - first;
      float[] some = new float[count * columns.length];
      for (int row = 0; row < count; row++) {
        for (int i = 0; i < columns.length; i++) {
          some[row * columns.length + i] = features[(first + row) * inner + columns[i]];
        }
      }
      return some;
    }
  }

  /**
   * Runs both on the same inputs.
   *
   * @throws BadInputException if the stream is not finite somewhere
   */
  public Run run(Batch batch) {
    Map<String, Tensor> feeds = new HashMap<>(batch.feeds());
    feeds.put(VALID, padding.valid(batch.feeds()));
    float[] wanted = before.run(feeds).get(0).toFloats();
    List<Tensor> found = after.run(feeds);
    float[] residual = found.get(0).toFloats();
    float[] valid = feeds.get(VALID).toFloats();
    int counting = 0;
    for (int token = 0; token < residual.length / block.hidden(); token++) {
      boolean counts = valid[valid.length == 1 ? 0 : token] > 0;
      counting += counts ? 1 : 0;
      for (int at = token * block.hidden(); at < (token + 1) * block.hidden(); at++) {
        residual[at] = counts ? wanted[at] - residual[at] : 0;
        if (!Float.isFinite(residual[at])) {
          throw new BadInputException(
              "block '%s': the residual stream behind it is not finite at %s"
                  .formatted(block.name(), batch.place(token, residual.length / block.hidden())));
        }
      }
    }
    return new Run(block, residual, counting, found.subList(1, found.size()));
  }

  @Override
  public void close() {
    try {
      before.close();
    } finally {
      after.close();
    }
  }
}
