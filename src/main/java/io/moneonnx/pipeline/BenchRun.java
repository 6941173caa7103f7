package io.moneonnx.pipeline;

import io.moneonnx.data.Calibration;
import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataSource;
import io.moneonnx.data.KeyValueCache;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.data.ModelInputs;
import io.moneonnx.data.SequenceLength;
import io.moneonnx.data.TokenFeeds;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Tensor;
import io.moneonnx.run.PeakMemory;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * Times one model, in a process that should do nothing else: the largest memory it ever held is
 * measured too.
 */
public final class BenchRun {
  private static final int PREFILLS = 3;
  private static final int DECODES = 16;
  private static final long SEED = 2507_00390;
  private static final double NANOS = 1e9;

  private final ReadModel model;
  private final RunOptions options;
  private final Random random = new Random(SEED);
  private final Map<BenchMeasure, Double> values = new EnumMap<>(BenchMeasure.class);

  private BenchRun(ReadModel model, RunOptions options) {
    this.model = model;
    this.options = options;
  }

  /**
   * What is wanted.
   *
   * @param tokens of the prefill
   * @param data what to run on instead of made-up tokens
   */
  public record Request(Path model, int tokens, Optional<Path> data) {}

  /**
   * Times a model.
   *
   * @throws BadInputException if nothing can be made up for it to run on, or the data do not suit
   */
  public static BenchFigures of(Request request, RunOptions options) {
    BenchRun run = new BenchRun(ReadModel.open(request.model()), options);
    if (request.data().isPresent()) {
      run.timeData(run.feeds(request.data().get()));
    } else {
      run.timeTokens(request.tokens());
    }
    PeakMemory.bytes().ifPresent(bytes -> run.values.put(BenchMeasure.MEMORY, (double) bytes));
    return new BenchFigures(run.values);
  }

  private Graph graph() {
    return model.model().graph();
  }

  /** The first batch of the data. */
  private Map<String, Tensor> feeds(Path data) {
    return Calibration.open(
            List.of(DataSource.untagged(data)),
            new ModelFolder(model.folder()),
            graph(),
            CalibrationOptions.DEFAULT)
        .iterator()
        .next()
        .feeds();
  }

  private void timeData(Map<String, Tensor> feeds) {
    try (Session session = load()) {
      values.put(BenchMeasure.RUN, mean(session, PREFILLS, List.of(feeds)));
    }
  }

  private void timeTokens(int tokens) {
    ModelInputs inputs = ModelInputs.of(graph());
    TokenFeeds feeds = new TokenFeeds(inputs, new LanguageModel(model).requireNextToken().tokens());
    long vocabulary = vocabulary(model);
    List<Long> ids = ids(tokens, vocabulary);
    try (Session session = load()) {
      values.put(BenchMeasure.PREFILL, mean(session, PREFILLS, List.of(feeds.of(List.of(ids)))));
      if (feeds.areFree()) {
        List<Long> seen = ids.subList(0, tokens - 1);
        List<Map<String, Tensor>> steps = steps(session, feeds, seen, ids(DECODES, vocabulary));
        values.put(BenchMeasure.DECODE, mean(session, 1, steps));
      }
    }
  }

  /** For each of {@code next} the feeds of that token alone, after those that were seen. */
  private List<Map<String, Tensor>> steps(
      Session session, TokenFeeds feeds, List<Long> seen, List<Long> next) {
    Optional<KeyValueCache> cache = KeyValueCache.of(graph()).filter(c -> !seen.isEmpty());
    Map<String, Tensor> pasts =
        cache
            .map(c -> c.pasts(session.run(feeds.of(List.of(seen)), c.presents().values()), 1))
            .orElse(Map.of());
    long length = cache.isPresent() ? seen.size() : 0;
    return next.stream().map(id -> feeds.after(length, pasts, List.of(List.of(id)))).toList();
  }

  /**
   * How many tokens a model is timed on where so many are asked for: it may take a fixed number, or
   * fewer.
   *
   * @throws BadInputException if no tokens can be made up for it
   */
  static int tokens(ReadModel model, int asked) {
    try {
      new LanguageModel(model).requireNextToken();
    } catch (BadInputException e) {
      throw new BadInputException(e.getMessage() + "; or else --data", e);
    }
    vocabulary(model);
    return SequenceLength.atMost(
        asked, ModelInputs.of(model.model().graph()), new ModelFolder(model.folder()));
  }

  private static long vocabulary(ReadModel model) {
    return ModelInputs.of(model.model().graph())
        .vocabulary()
        .orElseThrow(
            () ->
                new BadInputException(
                    "%s: the graph does not show how many tokens there are, so none can be made up;"
                            .formatted(model.file())
                        + " expected --data"));
  }

  private List<Long> ids(int count, long vocabulary) {
    return random.longs(count, 0, vocabulary).boxed().toList();
  }

  /** ONNX Runtime itself is loaded before: that is no matter of the model. */
  private Session load() {
    Session.runtimeVersion();
    long start = System.nanoTime();
    Session session = Session.open(model.file(), options);
    values.put(BenchMeasure.LOAD, (System.nanoTime() - start) / NANOS);
    return session;
  }

  /** Seconds of one run: the mean over all these feeds, {@code times} each, after a warm-up. */
  private static double mean(Session session, int times, List<Map<String, Tensor>> all) {
    all.forEach(feeds -> session.nanos(feeds, session.outputs()));
    long total = 0;
    for (int i = 0; i < times; i++) {
      for (Map<String, Tensor> feeds : all) {
        total += session.nanos(feeds, session.outputs());
      }
    }
    return total / NANOS / times / all.size();
  }
}
