package io.moneonnx.profile;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.profile.Profile.Run;
import io.moneonnx.profile.StatisticsFile.Kind;
import java.nio.file.Path;
import java.util.List;

/**
 * Profiles on disk: safetensors files ({@code docs/profiles.md}) whose metadata hold {@code model},
 * {@code bytes}, and {@code runs} as JSON.
 */
public final class ProfileFile {
  private record Metadata(String model, long bytes, List<Run> runs) {
    Profile profile(List<BlockStatistics> blocks) {
      return new Profile(model, bytes, runs, blocks);
    }
  }

  private ProfileFile() {}

  /** Writes a profile, or nothing; a present file is replaced. */
  public static void write(Profile profile, Path file) {
    List<BlockStatistics> blocks = profile.blocks();
    write(profile, blocks.stream().map(BlockOutline::of).toList(), blocks, file);
  }

  /**
   * Writes a profile whose blocks are made one after the other.
   *
   * @param head the profile, whatever its blocks
   * @param outlines of all {@code blocks}
   */
  static void write(
      Profile head, List<BlockOutline> outlines, Iterable<BlockStatistics> blocks, Path file) {
    Metadata metadata = new Metadata(head.model(), head.modelBytes(), head.runs());
    StatisticsFile.write(file, Kind.PROFILE, metadata, outlines, blocks);
  }

  /**
   * Reads a whole profile; what was measured stays in the file, which is mapped.
   *
   * @throws BadInputException if the file is no profile, of another version, damaged, or cannot be
   *     read
   */
  public static Profile read(Path file) {
    Profile profile = StatisticsReader.read(file, Kind.PROFILE, Metadata.class, Metadata::profile);
    if (profile.blocks().isEmpty()) {
      throw new BadInputException(file + " is a profile without blocks");
    }
    return profile;
  }
}
