package io.moneonnx.eval;

import io.moneonnx.data.TokenPair;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Tokens that are fed once for all choices that differ in nothing but their last token, which is
 * foreseen and not fed.
 *
 * @param fed a context and its choice without the last token
 */
record TokenRow(List<Long> fed, List<TokenPair> pairs) {
  TokenRow {
    fed = List.copyOf(fed);
    pairs = List.copyOf(pairs);
  }

  /** Rows for all pairs, each of which is in one of them. */
  static List<TokenRow> of(Collection<TokenPair> pairs) {
    Map<List<Long>, List<TokenPair>> byFed = new LinkedHashMap<>();
    for (TokenPair pair : pairs.stream().distinct().toList()) {
      byFed.computeIfAbsent(fed(pair), fed -> new ArrayList<>()).add(pair);
    }
    return byFed.entrySet().stream().map(e -> new TokenRow(e.getKey(), e.getValue())).toList();
  }

  private static List<Long> fed(TokenPair pair) {
    List<Long> fed = new ArrayList<>(pair.context());
    fed.addAll(pair.continuation());
    return fed.subList(0, fed.size() - 1);
  }

  /** The shortest of its contexts. */
  List<Long> context() {
    return pairs.stream()
        .map(TokenPair::context)
        .min((a, b) -> Integer.compare(a.size(), b.size()))
        .orElseThrow();
  }

  /** The first position after which a token is foreseen. */
  int start() {
    return context().size() - 1;
  }

  /** The token that a pair has after a position; 0 where it is not asked for. */
  long target(int slot, int position) {
    TokenPair pair = pairs.get(slot);
    int token = position + 1 - pair.context().size();
    return token >= 0 && token < pair.continuation().size() ? pair.continuation().get(token) : 0;
  }
}
