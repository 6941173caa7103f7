package io.moneonnx.profile;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import io.moneonnx.io.Draft;
import io.moneonnx.profile.Profile.Run;
import io.moneonnx.profile.Profile.Source;
import io.moneonnx.proto.mone.ProfileBlock;
import io.moneonnx.proto.mone.ProfileHeader;
import io.moneonnx.proto.mone.ProfileRun;
import io.moneonnx.proto.mone.ProfileSource;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Profiles on disk, in the format of {@code proto/mone.proto}. */
public final class ProfileFile {
  private static final byte[] MAGIC = "MONEPROF".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 2;

  private ProfileFile() {}

  /** Writes a profile, or nothing; a present file is replaced. */
  public static void write(Profile profile, Path file) {
    Draft.write(file, path -> write(profile, Files.newOutputStream(path)));
  }

  private static void write(Profile profile, OutputStream stream) throws IOException {
    try (OutputStream out = new BufferedOutputStream(stream)) {
      out.write(MAGIC);
      header(profile).writeDelimitedTo(out);
      for (BlockStatistics block : profile.blocks()) {
        BlockMessage.of(block).writeDelimitedTo(out);
      }
    }
  }

  /**
   * Reads a whole profile.
   *
   * @throws BadInputException if the file is no profile, of another version, or cut off, or cannot
   *     be read
   */
  public static Profile read(Path file) {
    if (Files.isDirectory(file)) {
      throw new BadInputException(file + ": is a folder, wanted a profile");
    } else if (!Files.exists(file)) {
      throw new BadInputException(file + ": no such file");
    }
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      byte[] magic = in.readNBytes(MAGIC.length);
      if (CheckpointFile.isMagic(magic)) {
        throw new BadInputException(
            file + " is of a calibration that is unfinished: calibrate --resume goes on with it");
      } else if (!Arrays.equals(magic, MAGIC)) {
        throw new BadInputException(file + " is no profile");
      }
      ProfileHeader header = next(in, ProfileHeader.parser(), file, "its header");
      if (header.getVersion() != VERSION) {
        throw new BadInputException(
            "%s is a profile of version %d; this program reads version %d"
                .formatted(file, header.getVersion(), VERSION));
      }
      List<BlockStatistics> blocks = new ArrayList<>();
      while (blocks.size() < header.getBlocks()) {
        String place = "block %d of %d".formatted(blocks.size() + 1, header.getBlocks());
        blocks.add(statistics(next(in, ProfileBlock.parser(), file, place), file));
      }
      if (in.read() >= 0) {
        throw new BadInputException(file + " goes on after its last block");
      }
      return profile(header, blocks);
    } catch (IOException e) {
      throw new BadInputException(file + ": cannot be read: " + Reason.of(e), e);
    }
  }

  /** Counts the bytes itself: protobuf takes a stream that ends early for a shorter message. */
  static <M> M next(InputStream in, Parser<M> parser, Path file, String place) throws IOException {
    int first = in.read();
    if (first < 0) {
      throw new BadInputException("%s ends before %s".formatted(file, place));
    }
    try {
      int length = CodedInputStream.readRawVarint32(first, in);
      byte[] message = in.readNBytes(Math.max(length, 0));
      if (message.length == length) {
        return parser.parseFrom(message);
      }
    } catch (InvalidProtocolBufferException e) {
      throw new BadInputException(
          "%s is damaged in %s (%s)".formatted(file, place, Reason.of(e)), e);
    }
    throw new BadInputException("%s is cut off in %s".formatted(file, place));
  }

  static BlockStatistics statistics(ProfileBlock message, Path file) {
    try {
      return BlockMessage.read(message);
    } catch (IllegalArgumentException e) {
      throw new BadInputException(file + ": " + e.getMessage(), e);
    }
  }

  private static ProfileHeader header(Profile profile) {
    ProfileHeader.Builder header =
        ProfileHeader.newBuilder()
            .setVersion(VERSION)
            .setModel(profile.model())
            .setBytes(profile.modelBytes())
            .setBlocks(profile.blocks().size());
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

  private static Profile profile(ProfileHeader header, List<BlockStatistics> blocks) {
    return new Profile(
        header.getModel(),
        header.getBytes(),
        header.getRunsList().stream().map(ProfileFile::run).toList(),
        blocks);
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
