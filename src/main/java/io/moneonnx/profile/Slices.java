package io.moneonnx.profile;

import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What is known of parts of the data, one number an expert.
 *
 * @param shards by number below {@link #SHARDS}, those that hold data: to tell how far a decision
 *     hangs on the data that happened to be there
 * @param sources by the tag that the user gave to a source
 */
public record Slices(SortedMap<Integer, Statistics> shards, SortedMap<String, Statistics> sources) {
  /** Batch after batch goes to the next shard, so that each has some of all sources. */
  public static final int SHARDS = 8;

  /** No parts. */
  public static final Slices NONE = new Slices(new TreeMap<>(), new TreeMap<>());

  public Slices {
    shards = Collections.unmodifiableSortedMap(new TreeMap<>(shards));
    sources = Collections.unmodifiableSortedMap(new TreeMap<>(sources));
  }

  /**
   * The parts that one batch is in.
   *
   * @param batch its number, from 0
   * @param source the tag of what it was read from, if that has one
   */
  static Slices of(Statistics sums, long batch, Optional<String> source) {
    SortedMap<Integer, Statistics> shards = new TreeMap<>();
    SortedMap<String, Statistics> sources = new TreeMap<>();
    shards.put((int) (batch % SHARDS), sums);
    source.ifPresent(tag -> sources.put(tag, sums));
    return new Slices(shards, sources);
  }

  Slices merge(Slices other) {
    return new Slices(merged(shards, other.shards), merged(sources, other.sources));
  }

  private static <K> SortedMap<K, Statistics> merged(
      SortedMap<K, Statistics> some, SortedMap<K, Statistics> others) {
    SortedMap<K, Statistics> all = new TreeMap<>(some);
    others.forEach((part, sums) -> all.merge(part, sums, Statistics::merge));
    return all;
  }
}
