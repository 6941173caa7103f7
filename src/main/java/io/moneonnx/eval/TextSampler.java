package io.moneonnx.eval;

import io.moneonnx.data.KeyValueCache;
import io.moneonnx.data.ModelInputs;
import io.moneonnx.data.OwnText;
import io.moneonnx.data.TokenFeeds;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Lets a language model write: each next token is drawn from what the model says of it, at
 * temperature 1. Draws are the same in every run; pasts are kept where the graph gives them back,
 * and a run with them says what a run without them does.
 */
public final class TextSampler implements AutoCloseable {
  private static final String PREFIX = "mone.sampler";
  private static final long SEED = 2507_00390;
  private static final int MOST_SEQUENCES = 16;

  /** Logits that a run makes, 256 MiB of them. */
  private static final long MOST_LOGITS = 1L << 26;

  /** Tokens that are written before pasts are kept: the step behind is held against both ways. */
  private static final int TRIAL = 4;

  /** How far a probability may be off by rounding. */
  private static final double BOUND = 1e-2;

  private final Session session;
  private final TokenFeeds feeds;
  private final ModelInputs inputs;
  private final String position;
  private final String scores;
  private final Consumer<String> notices;
  private Optional<KeyValueCache> cache;
  private boolean isCacheProved;

  private TextSampler(
      Session session,
      TokenFeeds feeds,
      ModelInputs inputs,
      String position,
      String scores,
      Optional<KeyValueCache> cache,
      Consumer<String> notices) {
    this.session = session;
    this.feeds = feeds;
    this.inputs = inputs;
    this.position = position;
    this.scores = scores;
    this.cache = cache;
    this.notices = notices;
  }

  /**
   * Opens a model.
   *
   * @param folder where the model's files lie
   * @throws BadInputException if the model wants more than tokens
   */
  public static TextSampler open(
      Model model, Path folder, NextToken nextToken, RunOptions options) {
    ModelInputs inputs = ModelInputs.of(model.graph());
    TokenFeeds feeds = new TokenFeeds(inputs, nextToken.tokens());
    Optional<KeyValueCache> cache = KeyValueCache.of(model.graph()).filter(c -> feeds.areFree());
    GraphEdit edit = new GraphEdit(model);
    Ops ops = new Ops(edit, PREFIX);
    String position = EvaluationGraph.input(ops, "position", ElementType.INT64);
    String scores =
        ops.cast(ops.gather(edit.current(nextToken.logits()), position, 1), ElementType.FLOAT);
    edit.addOutput(Value.untyped(scores, ElementType.FLOAT));
    List<String> outputs = new ArrayList<>(List.of(scores));
    cache.ifPresent(kept -> outputs.addAll(kept.presents().values()));
    Session session =
        Session.open(
            "the sampler",
            options.fitting(EvaluationGraph.only(edit.apply(), outputs)),
            folder,
            options);
    return new TextSampler(session, feeds, inputs, position, scores, cache, options.notices());
  }

  /**
   * Writes.
   *
   * @param step called for every token that was drawn
   * @throws BadInputException if the model puts out NaN or infinity
   */
  public List<List<Long>> sample(OwnText.Request wanted, Runnable step) {
    long logits = wanted.length() * inputs.vocabulary().orElse(MOST_LOGITS);
    int fitting = (int) Math.max(1, Math.min(MOST_SEQUENCES, MOST_LOGITS / logits));
    int batch = feeds.batch(OptionalInt.empty(), fitting);
    SplittableRandom seeds = new SplittableRandom(SEED);
    List<List<Long>> windows = new ArrayList<>();
    for (int at = 0; at < wanted.windows(); at += batch) {
      Batch some = new Batch(Math.min(batch, wanted.windows() - at), wanted.first(), seeds);
      while (some.length() < wanted.length()) {
        some.draw();
        some.rows.forEach(row -> step.run());
      }
      windows.addAll(some.rows);
    }
    return windows;
  }

  /** Sequences that grow together. */
  private final class Batch {
    private final List<List<Long>> rows = new ArrayList<>();
    private final List<SplittableRandom> draws = new ArrayList<>();

    /** What the tokens before the last left behind; empty while all of them are run again. */
    private Map<String, Tensor> pasts = Map.of();

    Batch(int count, long firstToken, SplittableRandom seeds) {
      for (int row = 0; row < count; row++) {
        rows.add(new ArrayList<>(List.of(firstToken)));
        draws.add(seeds.split());
      }
    }

    int length() {
      return rows.get(0).size();
    }

    void draw() {
      float[] all = next();
      int width = all.length / feeds.sequences(rows.size());
      int known = (int) Math.min(width, inputs.vocabulary().orElse(width));
      for (int row = 0; row < rows.size(); row++) {
        double[] chances = chances(all, row * width, known);
        rows.get(row).add((long) drawn(chances, draws.get(row).nextDouble()));
      }
    }

    /** Logits {@code [sequences, vocabulary]} behind the last token. */
    private float[] next() {
      boolean canKeep = cache.isPresent() && length() >= TRIAL;
      if (!canKeep || pasts.isEmpty()) {
        return run(feeds.of(rows), length() - 1, canKeep);
      } else if (isCacheProved) {
        return goOn();
      }
      float[] whole = run(feeds.of(rows), length() - 1, false);
      Optional<String> objection = objection(whole);
      if (objection.isPresent()) {
        notices.accept("text is written without kept pasts: a run with them " + objection.get());
        cache = Optional.empty();
        pasts = Map.of();
      } else {
        isCacheProved = true;
      }
      return whole;
    }

    private float[] goOn() {
      List<List<Long>> last =
          rows.stream().map(row -> row.subList(length() - 1, length())).toList();
      return run(feeds.after(length() - 1, pasts, last), 0, true);
    }

    private Optional<String> objection(float[] whole) {
      try {
        float[] kept = goOn();
        int width = whole.length / rows.size();
        double distance =
            IntStream.range(0, rows.size())
                .mapToDouble(row -> distance(whole, kept, row * width, width))
                .max()
                .orElseThrow();
        return distance <= BOUND
            ? Optional.empty()
            : Optional.of("differs by %.3f in a probability".formatted(distance));
      } catch (RuntimeFailureException | BadInputException e) {
        return Optional.of("fails (" + e.getMessage() + ")");
      }
    }

    private float[] run(Map<String, Tensor> tokens, int last, boolean keep) {
      Map<String, Tensor> fed = new HashMap<>(tokens);
      fed.put(position, Tensor.of(List.of(), (long) last));
      List<String> wanted = new ArrayList<>(List.of(scores));
      if (keep) {
        wanted.addAll(cache.orElseThrow().presents().values());
      }
      Map<String, Tensor> results = session.run(fed, wanted);
      if (keep) {
        Map<String, Tensor> left = new HashMap<>();
        cache
            .orElseThrow()
            .presents()
            .forEach((past, present) -> left.put(past, results.get(present)));
        pasts = left;
      }
      return results.get(scores).toFloats();
    }
  }

  private static double distance(float[] one, float[] other, int from, int width) {
    double[] chances = chances(one, from, width);
    double[] others = chances(other, from, width);
    return IntStream.range(0, width)
        .mapToDouble(id -> Math.abs(chances[id] - others[id]))
        .max()
        .orElseThrow();
  }

  /** The softmax of one row. */
  private static double[] chances(float[] logits, int from, int width) {
    double highest = Double.NEGATIVE_INFINITY;
    for (int id = 0; id < width; id++) {
      highest = Math.max(highest, logits[from + id]);
    }
    double[] chances = new double[width];
    double sum = 0;
    for (int id = 0; id < width; id++) {
      chances[id] = Math.exp(logits[from + id] - highest);
      sum += chances[id];
    }
    if (!Double.isFinite(sum)) {
      throw new BadInputException(
          "the model's logits hold NaN or infinity: it cannot write text to be calibrated on");
    }
    for (int id = 0; id < width; id++) {
      chances[id] /= sum;
    }
    return chances;
  }

  /** The first token at which the chances so far exceed {@code at}, of {@code [0, 1)}. */
  private static int drawn(double[] chances, double at) {
    double sum = 0;
    int last = 0;
    for (int id = 0; id < chances.length; id++) {
      sum += chances[id];
      last = chances[id] > 0 ? id : last;
      if (sum > at && chances[id] > 0) {
        return id;
      }
    }
    return last;
  }

  @Override
  public void close() {
    session.close();
  }
}
