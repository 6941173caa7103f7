package io.moneonnx.profile;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.io.Draft;
import io.moneonnx.json.JsonText;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;

/**
 * Statistics of blocks on disk, as a safetensors file ({@code docs/profiles.md}). Tensors are those
 * of the table {@link Statistic}, block after block; what is not defined is NaN. The metadata hold
 * a checksum of the whole file, what kind of file this is, its version, what the kind adds, and the
 * blocks.
 */
final class StatisticsFile {
  /** Raised when a reader of older files would misread newer ones. */
  static final int VERSION = 5;

  static final String BEFORE_CHECKSUM = "{\"__metadata__\":{\"checksum\":\"";
  static final String NO_CHECKSUM = "00000000";
  static final int CHECKSUM_AT = Long.BYTES + BEFORE_CHECKSUM.length();
  static final int PART = 1 << 16;

  private StatisticsFile() {}

  /** What a file of statistics is. */
  enum Kind {
    PROFILE("profile", "MONEPROF"),
    CHECKPOINT("checkpoint", "MONEPART"),
    DOWN_PROJECTIONS("file of down projections", "");

    final String text;

    /** What files of earlier versions began with; empty if there were none. */
    final String earlier;

    Kind(String text, String earlier) {
      this.text = text;
      this.earlier = earlier;
    }
  }

  /** The metadata that say whether the others can be read. */
  record Label(String checksum, String kind, String version) {}

  /** The metadata of all blocks. */
  record Outlines(List<BlockOutline.Document> blocks) {
    static Outlines of(List<BlockOutline> outlines) {
      return new Outlines(outlines.stream().map(BlockOutline.Document::of).toList());
    }

    List<BlockOutline> all() {
      return blocks.stream().map(BlockOutline.Document::outline).toList();
    }
  }

  /**
   * Writes a file, or nothing; a present file is replaced.
   *
   * @param metadata what the kind adds
   * @param outlines of all blocks
   * @param blocks in the same order, made one after the other
   */
  static void write(
      Path file,
      Kind kind,
      Record metadata,
      List<BlockOutline> outlines,
      Iterable<BlockStatistics> blocks) {
    Draft.write(
        file,
        path -> {
          SafetensorsHeader header = header(kind, metadata, Outlines.of(outlines));
          try {
            for (BlockOutline outline : outlines) {
              outline.addTo(header);
            }
          } catch (IllegalArgumentException e) {
            throw new BadInputException(
                "blocks and tags cannot be distinguished: " + e.getMessage(), e);
          }
          write(path, header, () -> values(blocks).iterator());
        });
  }

  /** Without tensors yet. */
  static SafetensorsHeader header(Kind kind, Record... metadata) throws IOException {
    Map<String, String> all =
        JsonText.texts(new Label(NO_CHECKSUM, kind.text, Integer.toString(VERSION)));
    for (Record each : metadata) {
      all.putAll(JsonText.texts(each));
    }
    return new SafetensorsHeader(all);
  }

  /**
   * Writes to a path that is free.
   *
   * @param tensors those of the header, in its order
   */
  static void write(Path path, SafetensorsHeader header, Iterable<Values> tensors)
      throws IOException {
    CRC32C sum = new CRC32C();
    try (OutputStream disk = new BufferedOutputStream(Files.newOutputStream(path), PART);
        OutputStream out = new CheckedOutputStream(disk, sum)) {
      out.write(header.toBytes());
      byte[] part = new byte[PART];
      for (Values values : tensors) {
        ByteBuffer bytes = values.bytes();
        while (bytes.hasRemaining()) {
          int length = Math.min(PART, bytes.remaining());
          bytes.get(part, 0, length);
          out.write(part, 0, length);
        }
      }
    }
    try (FileChannel written = FileChannel.open(path, StandardOpenOption.WRITE)) {
      written.write(ByteBuffer.wrap(digits(sum)), CHECKSUM_AT);
    }
  }

  private static Stream<Values> values(Iterable<BlockStatistics> blocks) {
    return StreamSupport.stream(blocks.spliterator(), false).flatMap(StatisticsFile::values);
  }

  private static Stream<Values> values(BlockStatistics block) {
    Stream<Values> orders =
        block.orders().stream().flatMap(all -> Stream.of(all.removed(), all.distortions()));
    Stream<Statistics> slices =
        Stream.concat(
            block.slices().shards().values().stream(), block.slices().sources().values().stream());
    return Stream.of(
            block.all().values().values().stream(),
            orders,
            slices.flatMap(slice -> slice.values().values().stream()))
        .flatMap(values -> values);
  }

  static byte[] digits(CRC32C sum) {
    return "%08x".formatted(sum.getValue()).getBytes(StandardCharsets.US_ASCII);
  }
}
