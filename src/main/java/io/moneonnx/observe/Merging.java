package io.moneonnx.observe;

import io.moneonnx.data.Batch;
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
  private final Batch batch;
  private final long number;
  private final Map<String, BlockStatistics> statistics = new LinkedHashMap<>();
  private final Map<String, String> disproved;
  private final Map<String, String> unprovedMoments;
  private final Map<String, Long> skipped;

  /** Why what comes next in this run cannot be believed. */
  private Optional<String> behind = Optional.empty();

  /**
   * Begins with nothing of this run.
   *
   * @param number of the batch, from 0
   */
  Merging(Measured before, Batch batch, long number) {
    this.before = before;
    this.batch = batch;
    this.number = number;
    before.statistics().forEach(block -> statistics.put(block.name(), block));
    this.disproved = new LinkedHashMap<>(before.disproved());
    this.unprovedMoments = new LinkedHashMap<>(before.unprovedMoments());
    this.skipped = new LinkedHashMap<>(before.skipped());
  }

  /**
   * Takes what the run said of one block.
   *
   * @throws BadInputException if something is not finite, and the run is to stop there
   */
  void take(BlockReading reading, NonFinite nonFinite) {
    if (disproved.containsKey(reading.name())) {
      return;
    }
    if (reading.spoiled() > 0) {
      if (nonFinite == NonFinite.STOP) {
        throw reading.failure();
      }
      skipped.merge(reading.name(), reading.spoiled(), Long::sum);
    }
    Optional<String> reason = behind.or(() -> reading.disproof().map(Refusal::reason));
    if (reason.isPresent()) {
      disproved.put(reading.name(), reason.get());
      statistics.remove(reading.name());
      if (reading.standsIn() && number >= Calibrator.CHECKED_AT_FIRST) {
        behind =
            Optional.of(
                "measured behind '%s', which was disproved later".formatted(reading.name()));
      }
    } else {
      add(reading);
    }
  }

  private void add(BlockReading reading) {
    BlockStatistics found = reading.statistics().ofBatch(number, batch.tag());
    reading
        .disproofOfMoments()
        .ifPresent(reason -> unprovedMoments.putIfAbsent(reading.name(), reason));
    if (unprovedMoments.containsKey(reading.name())) {
      found = found.withoutMoments();
      statistics.computeIfPresent(reading.name(), (name, sums) -> sums.withoutMoments());
    }
    statistics.merge(reading.name(), found, BlockStatistics::merge);
  }

  Measured measured() {
    return new Measured(
        before.batches() + 1,
        Math.max(before.sequenceLength(), batch.sequenceLength()),
        List.copyOf(statistics.values()),
        disproved,
        unprovedMoments,
        skipped);
  }
}
