package io.moneonnx.eval;

import io.moneonnx.data.KeyValueCache;
import io.moneonnx.data.TokenFeeds;
import io.moneonnx.data.TokenPair;
import io.moneonnx.graph.Tensor;
import io.moneonnx.run.Session;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A way to find how likely choices are. All ways find the same, where they can be gone at all. */
sealed interface Scorer {
  /** Log-likelihoods in nats, by pair. */
  Map<TokenPair, Double> score(Collection<TokenPair> pairs);

  /** What messages call it. */
  String text();

  /** An opened graph, and what feeds it. */
  record Opened(LikelihoodGraph graph, Session session, TokenFeeds feeds) {
    private Map<TokenPair, Double> run(TokenBatch batch, Map<String, Tensor> feeds, int sequences) {
      Map<String, Tensor> all = new HashMap<>(feeds);
      all.put(graph.positions(), batch.positions());
      all.put(graph.targets(), batch.targets(sequences));
      return batch.likelihoods(session.run(all, Set.of(graph.scores())).get(graph.scores()));
    }
  }

  /**
   * Contexts and choices as one sequence each, those of like length together.
   *
   * @param batch sequences in one run
   */
  record Whole(Opened model, int batch) implements Scorer {
    @Override
    public Map<TokenPair, Double> score(Collection<TokenPair> pairs) {
      return rows(TokenRow.of(pairs));
    }

    Map<TokenPair, Double> rows(List<TokenRow> rows) {
      Map<TokenPair, Double> likelihoods = new HashMap<>();
      List<TokenRow> sorted =
          rows.stream()
              .sorted(Comparator.comparingInt((TokenRow row) -> row.fed().size()).reversed())
              .toList();
      for (int at = 0; at < sorted.size(); at += batch) {
        TokenBatch some =
            new TokenBatch(sorted.subList(at, Math.min(at + batch, sorted.size())), 0);
        Map<String, Tensor> feeds = model.feeds().of(some.fed());
        likelihoods.putAll(model.run(some, feeds, model.feeds().sequences(some.rows().size())));
      }
      return likelihoods;
    }

    @Override
    public String text() {
      return batch == 1 ? "one sequence at a time" : "whole sequences, %d a run".formatted(batch);
    }
  }

  /**
   * A context that several rows share is run once, without its last token, and its keys and values
   * are kept for all of them; rows that share none are run whole.
   *
   * @param batch rows in one run
   */
  record Cached(Opened model, KeyValueCache cache, int batch, Whole otherwise) implements Scorer {
    @Override
    public Map<TokenPair, Double> score(Collection<TokenPair> pairs) {
      Map<List<Long>, List<TokenRow>> groups = new LinkedHashMap<>();
      for (TokenRow row : TokenRow.of(pairs)) {
        groups.computeIfAbsent(row.context(), context -> new ArrayList<>()).add(row);
      }
      Map<TokenPair, Double> likelihoods = new HashMap<>();
      List<TokenRow> alone = new ArrayList<>();
      groups.forEach(
          (context, rows) -> {
            if (rows.size() > 1 && context.size() > 1) {
              likelihoods.putAll(after(context.subList(0, context.size() - 1), rows));
            } else {
              alone.addAll(rows);
            }
          });
      likelihoods.putAll(otherwise.rows(alone));
      return likelihoods;
    }

    private Map<TokenPair, Double> after(List<Long> seen, List<TokenRow> rows) {
      Map<String, Tensor> kept = run(seen);
      Map<TokenPair, Double> likelihoods = new HashMap<>();
      for (int at = 0; at < rows.size(); at += batch) {
        List<TokenRow> together = rows.subList(at, Math.min(at + batch, rows.size()));
        TokenBatch some = new TokenBatch(together, seen.size());
        Map<String, Tensor> pasts = cache.pasts(kept, together.size());
        Map<String, Tensor> feeds = model.feeds().after(seen.size(), pasts, some.fed());
        likelihoods.putAll(model.run(some, feeds, together.size()));
      }
      return likelihoods;
    }

    private Map<String, Tensor> run(List<Long> seen) {
      Map<String, Tensor> feeds = new HashMap<>(model.feeds().of(List.of(seen)));
      feeds.put(model.graph().positions(), Tensor.vector(0));
      feeds.put(model.graph().targets(), Tensor.of(List.of(1L, 1L, 1L), 0L));
      return model.session().run(feeds, cache.presents().values());
    }

    @Override
    public String text() {
      return "each context once, %s".formatted(batch == 1 ? "one choice a run" : "all its choices");
    }
  }
}
