package io.moneonnx.profile;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.profile.Profile.Run;
import io.moneonnx.profile.Profile.Source;
import io.moneonnx.profile.StatisticsFile.Kind;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Profiles on disk: safetensors files ({@code docs/profiles.md}) whose metadata hold {@code model},
 * {@code bytes}, and {@code runs} as JSON.
 */
public final class ProfileFile {
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
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("model", head.model());
    metadata.put("bytes", Long.toString(head.modelBytes()));
    metadata.put("runs", ProfileJson.text(ProfileJson.tree(head.runs())));
    StatisticsFile.write(file, Kind.PROFILE, metadata, outlines, blocks);
  }

  /**
   * Reads a whole profile; what was measured stays in the file, which is mapped.
   *
   * @throws BadInputException if the file is no profile, of another version, damaged, or cannot be
   *     read
   */
  public static Profile read(Path file) {
    Profile profile = StatisticsReader.read(file, Kind.PROFILE, ProfileFile::profile);
    if (profile.blocks().isEmpty()) {
      throw new BadInputException(file + " is a profile without blocks");
    }
    return profile;
  }

  private static Profile profile(JsonMembers metadata, List<BlockStatistics> blocks) {
    return new Profile(
        metadata.text("model"),
        Long.parseLong(metadata.text("bytes")),
        metadata.parsed("runs").objects("runs").stream().map(ProfileFile::run).toList(),
        blocks);
  }

  private static Run run(JsonMembers run) {
    return new Run(
        run.text("toolVersion"),
        run.text("runtimeVersion"),
        run.text("device"),
        run.whole("tokens"),
        run.integer("sequenceLength"),
        run.objects("sources").stream().map(ProfileFile::source).toList(),
        run.namedTexts("notes"));
  }

  private static Source source(JsonMembers source) {
    return new Source(
        source.text("name"),
        source.nullableText("tag"),
        source.whole("bytes"),
        source.text("sha256"),
        source.whole("tokens"));
  }
}
