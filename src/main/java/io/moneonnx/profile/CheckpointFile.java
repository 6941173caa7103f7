package io.moneonnx.profile;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import io.moneonnx.io.Draft;
import io.moneonnx.proto.mone.CheckpointCount;
import io.moneonnx.proto.mone.CheckpointFact;
import io.moneonnx.proto.mone.CheckpointHeader;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;

/** Checkpoints on disk, in the format of {@code proto/mone.proto}. */
public final class CheckpointFile {
  private static final byte[] MAGIC = "MONEPART".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 1;

  private CheckpointFile() {}

  static boolean isMagic(byte[] first) {
    return Arrays.equals(first, MAGIC);
  }

  /** Writes a checkpoint, or nothing; a present file is replaced at once. */
  public static void write(Checkpoint checkpoint, Path file) {
    Draft.write(file, path -> write(checkpoint, Files.newOutputStream(path)));
  }

  private static void write(Checkpoint checkpoint, OutputStream stream) throws IOException {
    CRC32C sum = new CRC32C();
    try (OutputStream out = new BufferedOutputStream(new CheckedOutputStream(stream, sum))) {
      out.write(MAGIC);
      header(checkpoint).writeDelimitedTo(out);
      for (BlockStatistics block : checkpoint.measured().statistics()) {
        BlockMessage.of(block).writeDelimitedTo(out);
      }
      out.flush();
      out.write(ByteBuffer.allocate(Long.BYTES).putLong(sum.getValue()).array());
    }
  }

  private static CheckpointHeader header(Checkpoint checkpoint) {
    Measured measured = checkpoint.measured();
    CheckpointHeader.Builder header =
        CheckpointHeader.newBuilder()
            .setVersion(VERSION)
            .addAllRun(facts(checkpoint.run()))
            .setBatches(measured.batches())
            .setSequenceLength(measured.sequenceLength())
            .addAllDisproved(facts(measured.disproved()))
            .setBlocks(measured.statistics().size());
    measured
        .skipped()
        .forEach((name, tokens) -> header.addSkippedBuilder().setName(name).setTokens(tokens));
    return header.build();
  }

  private static List<CheckpointFact> facts(Map<String, String> facts) {
    return facts.entrySet().stream()
        .map(
            fact ->
                CheckpointFact.newBuilder().setName(fact.getKey()).setText(fact.getValue()).build())
        .toList();
  }

  /**
   * Reads a whole checkpoint.
   *
   * @throws BadInputException if the file is none, of another version, or damaged, or cannot be
   *     read
   */
  public static Checkpoint read(Path file) {
    try (FileChannel in = FileChannel.open(file)) {
      MessageStream messages = new MessageStream(file, in);
      if (!isMagic(messages.rest(MAGIC.length))) {
        throw new BadInputException(file + " is no checkpoint of a calibration");
      }
      requireIntact(messages);
      return read(messages);
    } catch (IOException e) {
      throw new BadInputException(file + ": cannot be read: " + Reason.of(e), e);
    }
  }

  /** What is damaged might have any number of blocks. */
  private static void requireIntact(MessageStream messages) throws IOException {
    FileChannel in = messages.in();
    long first = in.position();
    in.position(Math.max(first, in.size() - Long.BYTES));
    if (!Arrays.equals(messages.rest(Long.BYTES), messages.checksum(in.size() - Long.BYTES))) {
      throw new BadInputException(
          messages.file() + " is damaged: its sum is not the one it was written with");
    }
    in.position(first);
  }

  private static Checkpoint read(MessageStream messages) throws IOException {
    CheckpointHeader header = messages.next(CheckpointHeader.parser(), "its header");
    if (header.getVersion() != VERSION) {
      throw new BadInputException(
          "%s is a checkpoint of version %d; this program reads version %d"
              .formatted(messages.file(), header.getVersion(), VERSION));
    }
    List<BlockStatistics> blocks = new ArrayList<>();
    while (blocks.size() < header.getBlocks()) {
      blocks.add(messages.block(blocks.size() + 1, header.getBlocks()));
    }
    return checkpoint(header, blocks);
  }

  private static Checkpoint checkpoint(CheckpointHeader header, List<BlockStatistics> blocks) {
    return new Checkpoint(
        texts(header.getRunList()),
        new Measured(
            header.getBatches(),
            header.getSequenceLength(),
            blocks,
            texts(header.getDisprovedList()),
            header.getSkippedList().stream()
                .collect(
                    Collectors.toMap(
                        CheckpointCount::getName,
                        CheckpointCount::getTokens,
                        Long::sum,
                        LinkedHashMap::new))));
  }

  private static Map<String, String> texts(List<CheckpointFact> facts) {
    Map<String, String> texts = new LinkedHashMap<>();
    facts.forEach(fact -> texts.put(fact.getName(), fact.getText()));
    return texts;
  }
}
