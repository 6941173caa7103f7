package io.moneonnx.profile;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import io.moneonnx.proto.mone.ProfileHeader;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A profile read block by block; matrices stay in the file until somebody reads them.
 *
 * <p>Every method throws {@link BadInputException} if the file is no profile, of another version,
 * cut off, or cannot be read.
 */
final class ProfileReader implements AutoCloseable {
  private final Path file;
  private final FileChannel in;
  private final MessageStream messages;
  private ProfileHeader header;
  private int read;

  private ProfileReader(Path file, FileChannel in) {
    this.file = file;
    this.in = in;
    this.messages = new MessageStream(file, in);
  }

  static ProfileReader open(Path file) {
    if (Files.isDirectory(file)) {
      throw new BadInputException(file + ": is a folder, wanted a profile");
    } else if (!Files.exists(file)) {
      throw new BadInputException(file + ": no such file");
    }
    try {
      ProfileReader reader = new ProfileReader(file, FileChannel.open(file));
      reader.readHeader();
      return reader;
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private void readHeader() throws IOException {
    try {
      byte[] magic = messages.rest(ProfileFile.MAGIC.length);
      if (CheckpointFile.isMagic(magic)) {
        throw new BadInputException(
            file + " is of a calibration that is unfinished: calibrate --resume goes on with it");
      } else if (!Arrays.equals(magic, ProfileFile.MAGIC)) {
        throw new BadInputException(file + " is no profile");
      }
      header = messages.next(ProfileHeader.parser(), "its header");
      if (header.getVersion() != ProfileFile.VERSION) {
        throw new BadInputException(
            "%s is a profile of version %d; this program reads version %d"
                .formatted(file, header.getVersion(), ProfileFile.VERSION));
      } else if (size() < 1) {
        throw new BadInputException(file + " is a profile without blocks");
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
      BlockStatistics block = messages.block(read, size());
      if (read == size()) {
        requireEnd();
      }
      return block;
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private void requireEnd() throws IOException {
    byte[] wanted = messages.checksum(in.position());
    byte[] found = messages.rest(wanted.length);
    if (found.length < wanted.length) {
      throw new BadInputException(file + " is cut off in its checksum");
    } else if (!Arrays.equals(found, wanted)) {
      throw new BadInputException(file + " is damaged: its checksum is not that of what it holds");
    } else if (in.position() < in.size()) {
      throw new BadInputException(file + " goes on after its checksum");
    }
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
