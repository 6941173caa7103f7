package io.moneonnx.observe;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.moe.Refusal;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Measured;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What one run said of each block, on top of what was measured before. */
final class Merging {
  private final Measured before;
  private final Feed feed;
  private final Map<String, BlockStatistics> statistics = new LinkedHashMap<>();
  private final Map<String, String> disproved;
  private final Map<String, Long> skipped;

  Merging(Measured before, Feed feed) {
    this.before = before;
    this.feed = feed;
    before.statistics().forEach(block -> statistics.put(block.name(), block));
    this.disproved = new LinkedHashMap<>(before.disproved());
    this.skipped = new LinkedHashMap<>(before.skipped());
  }

  /**
   * Takes what the run said of one block.
   *
   * @throws BadInputException if something is not finite, and the run is to stop there
   */
  void take(Batch batch, NonFinite nonFinite) {
    if (disproved.containsKey(batch.name())) {
      return;
    }
    if (batch.spoiled() > 0) {
      if (nonFinite == NonFinite.STOP) {
        throw batch.failure();
      }
      skipped.merge(batch.name(), batch.spoiled(), Long::sum);
    }
    Optional<Refusal> refusal = batch.disproof();
    if (refusal.isPresent()) {
      disproved.put(batch.name(), refusal.get().reason());
      statistics.remove(batch.name());
    } else {
      statistics.merge(
          batch.name(),
          batch.statistics().ofBatch(before.batches(), feed.tag()),
          BlockStatistics::merge);
    }
  }

  Measured measured() {
    return new Measured(
        before.batches() + 1,
        Math.max(before.sequenceLength(), feed.sequenceLength()),
        List.copyOf(statistics.values()),
        disproved,
        skipped);
  }
}
