package io.moneonnx.profile;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.io.Draft;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A profile as a safetensors file: the length of a JSON header, the header, then the elements,
 * little-endian. Tensors are named {@code <block>.mean}, {@code <block>.shard.3.n}, {@code
 * <block>.source.code.n}; counts are I64, all else F64, NaN where it is not defined. The metadata
 * hold {@code model}, {@code bytes}, and as JSON {@code runs} and {@code blocks}.
 */
public final class ProfileTensors {
  private static final int BUFFER = 1 << 16;

  private final FileChannel out;
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER).order(ByteOrder.LITTLE_ENDIAN);

  private ProfileTensors(FileChannel out) {
    this.out = out;
  }

  /** A tensor and the name that is its own in the file. */
  private record Entry(String name, List<Integer> shape, Values values) {
    long bytes() {
      return (long) values.size() * Values.BYTES;
    }
  }

  /** Writes the file, or nothing; a present file is replaced. */
  public static void write(Profile profile, Path file) {
    Draft.write(
        file,
        path -> {
          try (FileChannel out =
              FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            new ProfileTensors(out).write(profile);
          }
        });
  }

  private void write(Profile profile) throws IOException {
    List<Entry> entries = profile.blocks().stream().flatMap(block -> of(block).stream()).toList();
    byte[] header = header(profile, entries).getBytes(StandardCharsets.UTF_8);
    int padding = -header.length & (Long.BYTES - 1);
    put(header.length + padding);
    flush();
    out.write(ByteBuffer.wrap(header));
    out.write(ByteBuffer.wrap(" ".repeat(padding).getBytes(StandardCharsets.UTF_8)));
    for (Entry entry : entries) {
      put(entry.values());
    }
    flush();
  }

  private static List<Entry> of(BlockStatistics block) {
    List<Entry> entries = new ArrayList<>();
    add(entries, block.name(), block.all());
    block
        .slices()
        .shards()
        .forEach((shard, sums) -> add(entries, block.name() + ".shard." + shard, sums));
    block
        .slices()
        .sources()
        .forEach((tag, sums) -> add(entries, block.name() + ".source." + tag, sums));
    return entries;
  }

  private static void add(List<Entry> entries, String prefix, Statistics statistics) {
    statistics
        .values()
        .forEach(
            (each, values) ->
                entries.add(
                    new Entry(
                        prefix + "." + each.symbol(),
                        statistics.detail().shape(each).sizes(statistics.header()),
                        values)));
  }

  private static String header(Profile profile, List<Entry> entries) throws IOException {
    StringWriter text = new StringWriter();
    JsonWriter json = new JsonWriter(text);
    json.beginObject().name("__metadata__").beginObject();
    json.name("model").value(profile.model());
    json.name("bytes").value(Long.toString(profile.modelBytes()));
    json.name("runs").value(text(writer -> writer.runs(profile.runs())));
    json.name("blocks").value(text(writer -> writer.headers(profile.blocks())));
    json.endObject();
    long end = 0;
    for (Entry entry : entries) {
      json.name(entry.name()).beginObject();
      json.name("dtype").value(entry.values().type().dtype());
      json.name("shape").beginArray();
      for (int size : entry.shape()) {
        json.value(size);
      }
      json.endArray();
      json.name("data_offsets").beginArray().value(end);
      end += entry.bytes();
      json.value(end).endArray();
      json.endObject();
    }
    json.endObject();
    return text.toString();
  }

  /** Something that is written as JSON. */
  @FunctionalInterface
  private interface Part {
    void write(ProfileJson json) throws IOException;
  }

  private static String text(Part part) throws IOException {
    StringWriter text = new StringWriter();
    part.write(new ProfileJson(text));
    return text.toString();
  }

  private void put(Values values) throws IOException {
    ByteBuffer bytes = values.bytes();
    while (bytes.hasRemaining()) {
      put(bytes.getLong());
    }
  }

  private void put(long bits) throws IOException {
    if (!buffer.hasRemaining()) {
      flush();
    }
    buffer.putLong(bits);
  }

  private void flush() throws IOException {
    buffer.flip();
    while (buffer.hasRemaining()) {
      out.write(buffer);
    }
    buffer.clear();
  }
}
