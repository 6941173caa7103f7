package io.moneonnx.profile;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What one calibration run measured, and of what.
 *
 * @param model {@link Fingerprint} of the calibrated model
 * @param tokens tokens fed, padding excluded
 * @param sequenceLength tokens of the longest sequence they were fed in
 * @param sources what was fed
 * @param notes anything else worth keeping, by name
 */
public record Profile(
    String model,
    String toolVersion,
    String runtimeVersion,
    String device,
    long tokens,
    int sequenceLength,
    List<Source> sources,
    Map<String, String> notes,
    List<BlockStatistics> blocks) {
  public Profile {
    sources = List.copyOf(sources);
    notes = Collections.unmodifiableMap(new TreeMap<>(notes));
    blocks = List.copyOf(blocks);
  }

  /** A file that was fed, and its size in bytes. */
  public record Source(String name, long bytes) {}

  public Optional<BlockStatistics> block(String name) {
    return blocks.stream().filter(block -> block.name().equals(name)).findFirst();
  }
}
