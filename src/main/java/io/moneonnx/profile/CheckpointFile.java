package io.moneonnx.profile;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.profile.StatisticsFile.Kind;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Checkpoints on disk: safetensors files like profiles, whose metadata hold what there is of a
 * {@link Checkpoint} beside statistics.
 */
public final class CheckpointFile {
  private CheckpointFile() {}

  /** Writes a checkpoint, or nothing; a present file is replaced at once. */
  public static void write(Checkpoint checkpoint, Path file) {
    Measured measured = checkpoint.measured();
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("run", json(checkpoint.run()));
    metadata.put("batches", Long.toString(measured.batches()));
    metadata.put("sequenceLength", Integer.toString(measured.sequenceLength()));
    metadata.put("disproved", json(measured.disproved()));
    metadata.put("skipped", json(measured.skipped()));
    List<BlockStatistics> blocks = measured.statistics();
    StatisticsFile.write(
        file, Kind.CHECKPOINT, metadata, blocks.stream().map(BlockOutline::of).toList(), blocks);
  }

  private static String json(Map<String, ?> members) {
    return ProfileJson.text(ProfileJson.tree(members));
  }

  /**
   * Reads a whole checkpoint.
   *
   * @throws BadInputException if the file is none, of another version, damaged, or cannot be read
   */
  public static Checkpoint read(Path file) {
    return StatisticsReader.read(file, Kind.CHECKPOINT, CheckpointFile::checkpoint);
  }

  private static Checkpoint checkpoint(JsonMembers metadata, List<BlockStatistics> blocks) {
    return new Checkpoint(
        metadata.parsed("run").namedTexts("run"),
        new Measured(
            Long.parseLong(metadata.text("batches")),
            Integer.parseInt(metadata.text("sequenceLength")),
            blocks,
            metadata.parsed("disproved").namedTexts("disproved"),
            metadata.parsed("skipped").namedWholes("skipped")));
  }
}
