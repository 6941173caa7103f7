package io.moneonnx.profile;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a calibration has measured so far. Never changes: each batch makes another.
 *
 * @param batches that it is of
 * @param sequenceLength tokens of the longest sequence that was fed
 * @param statistics of the blocks that are not disproved, in the order of the graph
 * @param disproved by block, why its output is not the sum of routing weights times rows
 * @param unprovedMoments by block, why what was computed is not what its down projections read, so
 *     that there are no moments of it
 * @param skipped by block, tokens that were left out since something of theirs was not finite; only
 *     blocks that have some
 */
public record Measured(
    long batches,
    int sequenceLength,
    List<BlockStatistics> statistics,
    Map<String, String> disproved,
    Map<String, String> unprovedMoments,
    Map<String, Long> skipped) {
  /** Nothing yet. */
  public static final Measured NOTHING =
      new Measured(0, 0, List.of(), Map.of(), Map.of(), Map.of());

  public Measured {
    statistics = List.copyOf(statistics);
    disproved = Collections.unmodifiableMap(new LinkedHashMap<>(disproved));
    unprovedMoments = Collections.unmodifiableMap(new LinkedHashMap<>(unprovedMoments));
    skipped = Collections.unmodifiableMap(new LinkedHashMap<>(skipped));
  }
}
