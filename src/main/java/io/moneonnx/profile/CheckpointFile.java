package io.moneonnx.profile;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.profile.StatisticsFile.Kind;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Checkpoints on disk: safetensors files like profiles, whose metadata hold what there is of a
 * {@link Checkpoint} beside statistics.
 */
public final class CheckpointFile {
  private record Metadata(
      Map<String, String> run,
      long batches,
      int sequenceLength,
      Map<String, String> disproved,
      Map<String, String> unprovedMoments,
      Map<String, Long> skipped) {
    Checkpoint checkpoint(List<BlockStatistics> blocks) {
      return new Checkpoint(
          run, new Measured(batches, sequenceLength, blocks, disproved, unprovedMoments, skipped));
    }
  }

  private CheckpointFile() {}

  /** Writes a checkpoint, or nothing; a present file is replaced at once. */
  public static void write(Checkpoint checkpoint, Path file) {
    Measured measured = checkpoint.measured();
    Metadata metadata =
        new Metadata(
            checkpoint.run(),
            measured.batches(),
            measured.sequenceLength(),
            measured.disproved(),
            measured.unprovedMoments(),
            measured.skipped());
    List<BlockStatistics> blocks = measured.statistics();
    StatisticsFile.write(
        file, Kind.CHECKPOINT, metadata, blocks.stream().map(BlockOutline::of).toList(), blocks);
  }

  /**
   * Reads a whole checkpoint.
   *
   * @throws BadInputException if the file is none, of another version, damaged, or cannot be read
   */
  public static Checkpoint read(Path file) {
    return StatisticsReader.read(file, Kind.CHECKPOINT, Metadata.class, Metadata::checkpoint);
  }
}
