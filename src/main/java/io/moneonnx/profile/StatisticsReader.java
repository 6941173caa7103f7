package io.moneonnx.profile;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Nearest;
import io.moneonnx.graph.Reason;
import io.moneonnx.json.JsonReading;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.profile.StatisticsFile.Kind;
import io.moneonnx.profile.StatisticsFile.Label;
import io.moneonnx.profile.StatisticsFile.Outlines;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.zip.CRC32C;

/**
 * Reads what {@link StatisticsFile} writes, and nothing else: every tensor must be where it was
 * written. What was measured stays in the file, which is mapped, until somebody asks for it.
 */
final class StatisticsReader {
  private static final int SHOWN = 120;

  private final Kind kind;
  private final FileChannel in;
  private final int length;
  private final String text;
  private final Map<String, String> metadata;

  private StatisticsReader(Kind kind, FileChannel in) throws IOException {
    this.kind = kind;
    this.in = in;
    byte[] header = header();
    this.length = header.length;
    this.text = text(header);
    this.metadata = SafetensorsHeader.metadata(text);
    requireKind(metadata(Label.class));
  }

  /** What is made of an open file. */
  interface Reading<T> {
    T of(StatisticsReader file) throws IOException;
  }

  /**
   * Reads a whole file of statistics.
   *
   * @param type of what its kind adds to the metadata
   * @param contents makes what the kind of file is about
   * @throws BadInputException if it is of another kind or version, damaged, or cannot be read, or
   *     holds tensors or numbers that statistics cannot have
   */
  static <M extends Record, T> T read(
      Path file, Kind kind, Class<M> type, BiFunction<M, List<BlockStatistics>, T> contents) {
    return read(file, kind, reader -> contents.apply(reader.metadata(type), reader.statistics()));
  }

  /**
   * Reads a whole file.
   *
   * @throws BadInputException if it is of another kind or version, damaged, or cannot be read
   */
  static <T> T read(Path file, Kind kind, Reading<T> reading) {
    if (Files.isDirectory(file)) {
      throw new BadInputException("%s: is a folder, expected a %s".formatted(file, kind.text));
    } else if (!Files.exists(file)) {
      throw new BadInputException(file + ": " + Nearest.missing(file));
    }
    try (FileChannel in = FileChannel.open(file)) {
      return reading.of(new StatisticsReader(kind, in));
    } catch (IOException e) {
      throw new BadInputException(file + ": cannot be read: " + Reason.of(e), e);
    } catch (BadInputException e) {
      throw new BadInputException(file + " " + e.getMessage(), e);
    } catch (IllegalArgumentException e) {
      throw new BadInputException(file + " is damaged: " + e.getMessage(), e);
    } catch (ArithmeticException e) {
      throw new BadInputException(file + " is damaged: its sizes are too large", e);
    }
  }

  private List<BlockStatistics> statistics() throws IOException {
    List<BlockOutline> outlines = metadata(Outlines.class).all();
    SafetensorsHeader wanted = wanted();
    List<Long> ends = new ArrayList<>(List.of(0L));
    for (BlockOutline outline : outlines) {
      outline.addTo(wanted);
      ends.add(wanted.end());
    }
    requireAll(wanted);
    List<BlockStatistics> blocks = new ArrayList<>();
    for (int i = 0; i < outlines.size(); i++) {
      blocks.add(block(outlines.get(i), ends.get(i), ends.get(i + 1) - ends.get(i)));
    }
    return blocks;
  }

  /** A header with the metadata of the file, and no tensors yet. */
  SafetensorsHeader wanted() throws IOException {
    return new SafetensorsHeader(metadata);
  }

  /** Requires just these tensors, as they were written. */
  void requireAll(SafetensorsHeader wanted) throws IOException {
    requireSame(text(wanted.toBytes()), text);
    requireSize(length + wanted.end());
    requireChecksum(metadata(Label.class).checksum());
  }

  /** The header, its length included. */
  private byte[] header() throws IOException {
    byte[] first = bytes(Long.BYTES);
    for (Kind each : Kind.values()) {
      if (!each.earlier.isEmpty()
          && each.earlier.equals(new String(first, StandardCharsets.US_ASCII))) {
        throw new BadInputException(
            "is a %s of an earlier version: calibrate again".formatted(each.text));
      }
    }
    if (first.length < Long.BYTES) {
      throw other();
    }
    long length = ByteBuffer.wrap(first).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (length < StatisticsFile.BEFORE_CHECKSUM.length() || length > SafetensorsHeader.LARGEST) {
      throw other();
    }
    byte[] header = bytes(Long.BYTES + (int) length);
    if (!text(header).startsWith(StatisticsFile.BEFORE_CHECKSUM)) {
      throw other();
    } else if (header.length < Long.BYTES + length) {
      throw new BadInputException(
          "is cut off: expected a header of %,d bytes, found %,d"
              .formatted(length, header.length - Long.BYTES));
    }
    return header;
  }

  private static String text(byte... header) {
    return new String(header, Long.BYTES, header.length - Long.BYTES, StandardCharsets.UTF_8);
  }

  private BadInputException other() {
    return new BadInputException("is no " + kind.text);
  }

  /** The first bytes, as many as there are and {@code most} of them at most. */
  private byte[] bytes(int most) throws IOException {
    byte[] bytes = new byte[(int) Math.min(most, in.size())];
    ByteBuffer rest = ByteBuffer.wrap(bytes);
    while (rest.hasRemaining() && in.read(rest, rest.position()) > 0) {}
    return bytes;
  }

  /** The metadata that are these. */
  <T extends Record> T metadata(Class<T> type) {
    try {
      return JsonReading.read("its metadata", metadata, type);
    } catch (BadInputException e) {
      throw new BadInputException("is damaged: " + e.getMessage(), e);
    }
  }

  private void requireKind(Label label) {
    if (kind == Kind.PROFILE && label.kind().equals(Kind.CHECKPOINT.text)) {
      throw new BadInputException(
          "holds an unfinished calibration: calibrate --resume continues it");
    } else if (!label.kind().equals(kind.text)) {
      throw other();
    }
    if (!label.version().equals(Integer.toString(StatisticsFile.VERSION))) {
      throw new BadInputException(
          "is a %s of version %s; this program reads version %d: calibrate again"
              .formatted(kind.text, label.version(), StatisticsFile.VERSION));
    }
  }

  /** A header hangs on its metadata alone: all tensors are where they were written. */
  private static void requireSame(String wanted, String found) {
    int same = 0;
    while (same < Math.min(wanted.length(), found.length())
        && wanted.charAt(same) == found.charAt(same)) {
      same++;
    }
    if (same < Math.max(wanted.length(), found.length())) {
      int from = Math.max(0, wanted.lastIndexOf("},", same) + 2);
      throw new IllegalArgumentException(
          "its tensors are not those of its metadata: expected %s, found %s"
              .formatted(excerpt(wanted, from), excerpt(found, from)));
    }
  }

  private static String excerpt(String text, int from) {
    return text.substring(Math.min(from, text.length()), Math.min(from + SHOWN, text.length()))
        .trim();
  }

  private void requireSize(long wanted) throws IOException {
    if (in.size() != wanted) {
      throw new BadInputException(
          "%s: expected %,d bytes, found %,d"
              .formatted(
                  in.size() < wanted ? "is cut off" : "has bytes after its tensors",
                  wanted,
                  in.size()));
    }
  }

  private void requireChecksum(String wanted) throws IOException {
    CRC32C sum = new CRC32C();
    ByteBuffer part = ByteBuffer.allocate(StatisticsFile.PART);
    for (long at = 0; in.read(part.clear(), at) > 0; at += part.limit()) {
      if (at == 0) {
        part.put(
            StatisticsFile.CHECKSUM_AT,
            StatisticsFile.NO_CHECKSUM.getBytes(StandardCharsets.US_ASCII));
      }
      sum.update(part.flip());
    }
    String found = new String(StatisticsFile.digits(sum), StandardCharsets.US_ASCII);
    if (!found.equals(wanted)) {
      throw new BadInputException(
          "is damaged: its checksum is %s, expected %s".formatted(found, wanted));
    }
  }

  private BlockStatistics block(BlockOutline outline, long from, long bytes) throws IOException {
    BlockHeader header = outline.header();
    ByteBuffer data = tensors(header.name(), from, bytes);
    Statistics all = statistics(data, header, outline.detail(), outline.prefix());
    Optional<NeuronOrders> orders = outline.neurons().map(neurons -> orders(data, outline));
    SortedMap<Integer, Statistics> shards = new TreeMap<>();
    for (int shard : outline.shards()) {
      shards.put(shard, statistics(data, header, Detail.SUMS, outline.shard(shard)));
    }
    SortedMap<String, Statistics> sources = new TreeMap<>();
    for (String source : outline.sources()) {
      sources.put(source, statistics(data, header, Detail.SUMS, outline.source(source)));
    }
    return new BlockStatistics(all, new Slices(shards, sources), orders);
  }

  /**
   * The bytes of the tensors of a block.
   *
   * @param from behind the header
   */
  ByteBuffer tensors(String block, long from, long bytes) throws IOException {
    if (bytes > Integer.MAX_VALUE) {
      throw new BadInputException(
          "has %,d bytes of block '%s'; 2 GiB can be read".formatted(bytes, block));
    }
    return in.map(MapMode.READ_ONLY, length + from, bytes);
  }

  private static NeuronOrders orders(ByteBuffer data, BlockOutline outline) {
    BlockHeader header = outline.header();
    BlockOutline.Neurons neurons = outline.neurons().orElseThrow();
    Values removed = next(data, Values.Type.COUNT, NeuronOrders.removedSizes(header));
    Values distortions = next(data, Values.Type.NUMBER, NeuronOrders.distortionSizes(header));
    return new NeuronOrders(
        neurons.widths(), neurons.bytes(), neurons.group().orElse(1), removed, distortions);
  }

  /** The next values of a block. */
  static Values next(ByteBuffer data, Values.Type type, List<Integer> sizes) {
    int bytes = Math.multiplyExact(Math.toIntExact(BlockOutline.elements(sizes)), Values.BYTES);
    Values values = Values.of(type, data.slice(data.position(), bytes));
    data.position(data.position() + bytes);
    return values;
  }

  /** The next ones. */
  private Statistics statistics(ByteBuffer data, BlockHeader header, Detail detail, String prefix) {
    Map<Statistic, Values> all = new EnumMap<>(Statistic.class);
    for (Statistic statistic : detail.statistics()) {
      Values values = next(data, statistic.type(), detail.shape(statistic).sizes(header));
      all.put(statistic, values);
      Optional<Values> weights = statistic.weight().map(all::get);
      int width = detail.shape(statistic).width(header);
      int wrong =
          values.firstUnsound(
              width, statistic.largest(), row -> weights.isEmpty() || weights.get().get(row) > 0);
      if (wrong < values.size()) {
        boolean isOfExpert = detail.shape(statistic) != Statistic.Shape.BLOCK;
        throw new BadInputException(
            "is damaged: tensor '%s': expected %s, found %s at element %d%s"
                .formatted(
                    prefix + statistic.symbol(),
                    expected(statistic),
                    statistic.type() == Values.Type.COUNT
                        ? Long.toString(values.count(wrong))
                        : Double.toString(values.get(wrong)),
                    wrong,
                    isOfExpert ? " (expert %d)".formatted(wrong / width) : ""));
      }
    }
    return new Statistics(header, detail, all);
  }

  private static String expected(Statistic statistic) {
    if (statistic.type() == Values.Type.COUNT) {
      return "counts";
    }
    String numbers =
        statistic.largest() == Float.MAX_VALUE ? "finite float32 numbers" : "finite numbers";
    return statistic
        .weight()
        .map(
            weight -> numbers + " where %s is above 0 and NaN elsewhere".formatted(weight.symbol()))
        .orElse(numbers);
  }
}
