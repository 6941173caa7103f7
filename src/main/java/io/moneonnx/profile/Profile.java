package io.moneonnx.profile;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What calibration measured, and of what.
 *
 * @param model {@link Fingerprint} of the calibrated model
 * @param modelBytes bytes of the model's files
 * @param runs the calibration runs that were merged into it, one for a profile that was not merged
 */
public record Profile(String model, long modelBytes, List<Run> runs, List<BlockStatistics> blocks) {
  public Profile {
    runs = List.copyOf(runs);
    blocks = List.copyOf(blocks);
  }

  /**
   * One calibration run.
   *
   * @param device what the model ran on
   * @param tokens tokens fed, padding excluded
   * @param sequenceLength tokens of the longest sequence they were fed in
   * @param sources what was fed
   * @param notes anything else worth keeping, by name
   */
  public record Run(
      String toolVersion,
      String runtimeVersion,
      String device,
      long tokens,
      int sequenceLength,
      List<Source> sources,
      Map<String, String> notes) {
    public Run {
      sources = List.copyOf(sources);
      notes = Collections.unmodifiableMap(new TreeMap<>(notes));
    }
  }

  /**
   * A file that was fed.
   *
   * @param tag what the user called it, if anything
   * @param bytes its size
   * @param sha256 of its bytes, in hexadecimal digits
   * @param tokens how many tokens of it were fed, 0 where it holds none
   */
  public record Source(String name, Optional<String> tag, long bytes, String sha256, long tokens) {}

  /** Tells profiles apart, such as {@code sha256:0123...} with 32 digits. */
  public String id() {
    return ProfileId.of(this);
  }

  /** The same with other statistics. */
  public Profile withBlocks(List<BlockStatistics> others) {
    return new Profile(model, modelBytes, runs, others);
  }

  /** Tokens fed in all runs, padding excluded. */
  public long tokens() {
    return runs.stream().mapToLong(Run::tokens).sum();
  }

  /** True if a file with these bytes was calibrated on. */
  public boolean isOf(String sha256) {
    return runs.stream()
        .flatMap(run -> run.sources().stream())
        .anyMatch(source -> source.sha256().equals(sha256));
  }

  public Optional<BlockStatistics> block(String name) {
    return blocks.stream().filter(block -> block.name().equals(name)).findFirst();
  }
}
