package io.moneonnx.eval;

import io.moneonnx.data.KeyValueCache;
import io.moneonnx.data.ModelInputs;
import io.moneonnx.data.TokenFeeds;
import io.moneonnx.data.TokenPair;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Value;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * How likely a language model finds choices after their contexts. Of the ways to compute that, the
 * fastest is taken that gives, for some of the items at hand, what one sequence at a time gives.
 */
public final class Likelihoods implements AutoCloseable {
  private static final int USUAL_BATCH = 8;

  private final Session session;
  private final Scorer alone;
  private final Deque<Scorer> faster;
  private final double bound;
  private final Consumer<String> notices;

  private Likelihoods(
      Session session, Scorer alone, List<Scorer> faster, double bound, Consumer<String> notices) {
    this.session = session;
    this.alone = alone;
    this.faster = new ArrayDeque<>(faster);
    this.bound = bound;
    this.notices = notices;
  }

  /**
   * Opens a model.
   *
   * @param folder where the model's files lie
   * @param batch sequences in one run; the usual number if empty
   * @throws BadInputException if the model wants more than tokens, or another batch
   */
  public static Likelihoods open(
      Model model, Path folder, NextToken nextToken, OptionalInt batch, RunOptions options) {
    ModelInputs inputs = ModelInputs.of(model.graph());
    TokenFeeds feeds = new TokenFeeds(inputs, nextToken.tokens());
    int sequences = feeds.batch(batch, USUAL_BATCH);
    Optional<KeyValueCache> cache = KeyValueCache.of(model.graph()).filter(c -> feeds.areFree());
    LikelihoodGraph graph =
        LikelihoodGraph.of(
            model, nextToken, cache.map(c -> c.presents().values()).orElse(List.of()));
    Session session =
        Session.open("the likelihood graph", options.fitting(graph.model()), folder, options);
    Scorer.Opened opened = new Scorer.Opened(graph, session, feeds);
    Scorer.Whole alone = new Scorer.Whole(opened, 1);
    return new Likelihoods(
        session,
        alone,
        faster(opened, cache, sequences, alone),
        bound(model, nextToken),
        options.notices());
  }

  /** The ways that there are, the fastest first. */
  private static List<Scorer> faster(
      Scorer.Opened opened, Optional<KeyValueCache> cache, int batch, Scorer.Whole alone) {
    Scorer.Whole whole = new Scorer.Whole(opened, batch);
    List<Scorer> ways = new ArrayList<>();
    cache.ifPresent(
        kept -> {
          ways.add(new Scorer.Cached(opened, kept, batch, whole));
          if (batch > 1) {
            ways.add(new Scorer.Cached(opened, kept, 1, alone));
          }
        });
    if (batch > 1) {
      ways.add(whole);
    }
    return ways;
  }

  /** How far the log-likelihood of one token may be off by rounding, in nats. */
  private static double bound(Model model, NextToken nextToken) {
    Optional<ElementType> type =
        model.graph().outputs().stream()
            .filter(output -> output.name().equals(nextToken.logits()))
            .findFirst()
            .flatMap(Value::type);
    return switch (type.orElse(ElementType.FLOAT)) {
      case FLOAT16 -> 2e-2;
      case BFLOAT16 -> 2e-1;
      default -> 1e-4;
    };
  }

  /**
   * Log-likelihoods in nats of all choices of some items, by pair.
   *
   * @param items for each the pairs of its choices
   */
  public Map<TokenPair, Double> of(List<List<TokenPair>> items) {
    return proven(sample(items)).score(items.stream().flatMap(List::stream).toList());
  }

  /** What is on trial: the longest item, the shortest, and the longest whose choices share. */
  private static List<TokenPair> sample(List<List<TokenPair>> items) {
    List<List<TokenPair>> sorted =
        items.stream().sorted(Comparator.comparingInt(Likelihoods::length)).toList();
    List<List<TokenPair>> sharing = sorted.stream().filter(Likelihoods::isShared).toList();
    List<List<TokenPair>> chosen = new ArrayList<>(List.of(sorted.get(0), last(sorted)));
    if (!sharing.isEmpty()) {
      chosen.add(last(sharing));
    }
    return chosen.stream().flatMap(List::stream).distinct().toList();
  }

  private static <T> T last(List<T> some) {
    return some.get(some.size() - 1);
  }

  private static int length(List<TokenPair> pairs) {
    return pairs.stream().mapToInt(p -> p.context().size() + p.continuation().size()).sum();
  }

  private static boolean isShared(List<TokenPair> pairs) {
    return pairs.get(0).context().equals(pairs.get(1).context());
  }

  /** The fastest way that is right; those that are not are given up for good. */
  private Scorer proven(List<TokenPair> sample) {
    if (faster.isEmpty()) {
      return alone;
    }
    Map<TokenPair, Double> wanted = alone.score(sample);
    while (!faster.isEmpty()) {
      Optional<String> objection = objection(faster.peek(), sample, wanted);
      if (objection.isEmpty()) {
        return faster.peek();
      }
      Scorer left = faster.remove();
      String next = (faster.isEmpty() ? alone : faster.peek()).text();
      notices.accept(
          "scoring continues with %s: %s %s".formatted(next, left.text(), objection.get()));
    }
    return alone;
  }

  private Optional<String> objection(
      Scorer way, List<TokenPair> sample, Map<TokenPair, Double> wanted) {
    Map<TokenPair, Double> found;
    try {
      found = way.score(sample);
    } catch (RuntimeFailureException | BadInputException e) {
      return Optional.of("does not run (" + e.getMessage() + ")");
    }
    return sample.stream()
        .filter(pair -> !isNear(found.get(pair), wanted.get(pair), pair.continuation().size()))
        .findFirst()
        .map(
            pair ->
                "gives a log-likelihood of %.5f, one sequence at a time %.5f"
                    .formatted(found.get(pair), wanted.get(pair)));
  }

  private boolean isNear(double found, double wanted, int tokens) {
    return found == wanted || Math.abs(found - wanted) <= bound * tokens;
  }

  @Override
  public void close() {
    session.close();
  }
}
