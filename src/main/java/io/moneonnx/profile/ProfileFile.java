package io.moneonnx.profile;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.io.Draft;
import io.moneonnx.profile.Profile.Run;
import io.moneonnx.profile.Profile.Source;
import io.moneonnx.proto.mone.ProfileHeader;
import io.moneonnx.proto.mone.ProfileRun;
import io.moneonnx.proto.mone.ProfileSource;
import java.io.BufferedOutputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;

/** Profiles on disk, in the format of {@code proto/mone.proto}. */
public final class ProfileFile {
  static final byte[] MAGIC = "MONEPROF".getBytes(StandardCharsets.US_ASCII);
  static final int VERSION = 2;

  private ProfileFile() {}

  /** Writes a profile, or nothing; a present file is replaced. */
  public static void write(Profile profile, Path file) {
    write(profile, profile.blocks().size(), profile.blocks(), file);
  }

  /**
   * Writes a profile whose blocks are made one after the other.
   *
   * @param head the profile, whatever its blocks
   * @param size how many {@code blocks} there are
   */
  static void write(Profile head, int size, Iterable<BlockStatistics> blocks, Path file) {
    Draft.write(
        file,
        path -> {
          CRC32C sum = new CRC32C();
          try (OutputStream disk = Files.newOutputStream(path);
              OutputStream out = new BufferedOutputStream(new CheckedOutputStream(disk, sum))) {
            out.write(MAGIC);
            header(head, size).writeDelimitedTo(out);
            for (BlockStatistics block : blocks) {
              BlockMessage.of(block).writeDelimitedTo(out);
            }
            out.flush();
            out.write(ByteBuffer.allocate(Long.BYTES).putLong(sum.getValue()).array());
          }
        });
  }

  /**
   * Reads a whole profile.
   *
   * @throws BadInputException if the file is no profile, of another version, or cut off, or cannot
   *     be read
   */
  public static Profile read(Path file) {
    try (ProfileReader reader = ProfileReader.open(file)) {
      List<BlockStatistics> blocks = new ArrayList<>();
      while (blocks.size() < reader.size()) {
        blocks.add(reader.next());
      }
      return reader.head().withBlocks(blocks);
    }
  }

  private static ProfileHeader header(Profile profile, int blocks) {
    ProfileHeader.Builder header =
        ProfileHeader.newBuilder()
            .setVersion(VERSION)
            .setModel(profile.model())
            .setBytes(profile.modelBytes())
            .setBlocks(blocks);
    profile.runs().forEach(run -> header.addRuns(message(run)));
    return header.build();
  }

  private static ProfileRun message(Run run) {
    ProfileRun.Builder message =
        ProfileRun.newBuilder()
            .setToolVersion(run.toolVersion())
            .setRuntimeVersion(run.runtimeVersion())
            .setDevice(run.device())
            .setTokens(run.tokens())
            .setSequenceLength(run.sequenceLength())
            .putAllNotes(run.notes());
    for (Source source : run.sources()) {
      ProfileSource.Builder fed =
          message
              .addSourcesBuilder()
              .setName(source.name())
              .setBytes(source.bytes())
              .setSha256(source.sha256())
              .setTokens(source.tokens());
      source.tag().ifPresent(fed::setTag);
    }
    return message.build();
  }

  /** The profile without its blocks. */
  static Profile head(ProfileHeader header) {
    return new Profile(
        header.getModel(),
        header.getBytes(),
        header.getRunsList().stream().map(ProfileFile::run).toList(),
        List.of());
  }

  private static Run run(ProfileRun message) {
    return new Run(
        message.getToolVersion(),
        message.getRuntimeVersion(),
        message.getDevice(),
        message.getTokens(),
        message.getSequenceLength(),
        message.getSourcesList().stream().map(ProfileFile::source).toList(),
        message.getNotesMap());
  }

  private static Source source(ProfileSource message) {
    return new Source(
        message.getName(),
        message.hasTag() ? Optional.of(message.getTag()) : Optional.empty(),
        message.getBytes(),
        message.getSha256(),
        message.getTokens());
  }
}
