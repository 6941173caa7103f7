package io.moneonnx.profile;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import io.moneonnx.proto.mone.ProfileBlock;
import io.moneonnx.proto.mone.ProfileHeader;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A profile read block by block: no more than one block is in memory.
 *
 * <p>Every method throws {@link BadInputException} if the file is no profile, of another version,
 * cut off, or cannot be read.
 */
final class ProfileReader implements AutoCloseable {
  private final Path file;
  private final InputStream in;
  private ProfileHeader header;
  private int read;

  private ProfileReader(Path file, InputStream in) {
    this.file = file;
    this.in = in;
  }

  static ProfileReader open(Path file) {
    if (Files.isDirectory(file)) {
      throw new BadInputException(file + ": is a folder, wanted a profile");
    } else if (!Files.exists(file)) {
      throw new BadInputException(file + ": no such file");
    }
    try {
      ProfileReader reader =
          new ProfileReader(file, new BufferedInputStream(Files.newInputStream(file)));
      reader.readHeader();
      return reader;
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private void readHeader() throws IOException {
    try {
      if (!Arrays.equals(in.readNBytes(ProfileFile.MAGIC.length), ProfileFile.MAGIC)) {
        throw new BadInputException(file + " is no profile");
      }
      header = next(ProfileHeader.parser(), "its header");
      if (header.getVersion() != ProfileFile.VERSION) {
        throw new BadInputException(
            "%s is a profile of version %d; this program reads version %d"
                .formatted(file, header.getVersion(), ProfileFile.VERSION));
      }
    } catch (BadInputException e) {
      close();
      throw e;
    }
  }

  Path file() {
    return file;
  }

  /** The profile without its blocks. */
  Profile head() {
    return ProfileFile.head(header);
  }

  /** How many blocks it has. */
  int size() {
    return header.getBlocks();
  }

  /** The next of {@link #size()} blocks; after the last one, nothing may follow. */
  BlockStatistics next() {
    try {
      read++;
      ProfileBlock message = next(ProfileBlock.parser(), "block %d of %d".formatted(read, size()));
      if (read == size() && in.read() >= 0) {
        throw new BadInputException(file + " goes on after its last block");
      }
      return BlockMessage.read(message);
    } catch (IllegalArgumentException e) {
      throw new BadInputException(file + ": " + e.getMessage(), e);
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  /** Counts the bytes itself: protobuf takes a stream that ends early for a shorter message. */
  private <M> M next(Parser<M> parser, String place) throws IOException {
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

  private static BadInputException unreadable(Path file, IOException e) {
    return new BadInputException(file + ": cannot be read: " + Reason.of(e), e);
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }
}
