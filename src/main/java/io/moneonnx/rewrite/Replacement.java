package io.moneonnx.rewrite;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which experts of a block are replaced, and by what.
 *
 * @param novices for each replaced expert its novice {@code [hidden]}
 */
public record Replacement(SortedMap<Integer, float[]> novices) implements Change {
  /** Every expert stays. */
  public static final Replacement NONE = new Replacement(new TreeMap<>());

  public Replacement {
    novices = new TreeMap<>(novices);
  }

  @Override
  public List<Integer> experts() {
    return List.copyOf(novices.keySet());
  }

  @Override
  public String done() {
    return "replaced";
  }
}
