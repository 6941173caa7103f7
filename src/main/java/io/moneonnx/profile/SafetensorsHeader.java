package io.moneonnx.profile;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The header of a safetensors file: its length in eight bytes, the lowest first, then JSON, padded
 * with spaces so that the elements of the tensors after it are aligned.
 *
 * <pre>{@code {"__metadata__": {"key": "text"}, "name": {"dtype": "F64", "shape": [2, 3],
 * "data_offsets": [0, 48]}}}</pre>
 */
final class SafetensorsHeader {
  /** Bytes of JSON that readers of the format take at most. */
  static final int LARGEST = 100_000_000;

  private static final String METADATA = "__metadata__";
  private static final int ALIGNMENT = 8;

  private final StringWriter text = new StringWriter();
  private final JsonWriter json = new JsonWriter(text);
  private final Set<String> names = new HashSet<>();
  private long end;

  /** Without tensors yet. */
  SafetensorsHeader(Map<String, String> metadata) throws IOException {
    json.beginObject().name(METADATA).beginObject();
    for (Map.Entry<String, String> each : metadata.entrySet()) {
      json.name(each.getKey()).value(each.getValue());
    }
    json.endObject();
  }

  /**
   * Adds a tensor behind the others.
   *
   * @throws IllegalArgumentException if one has this name already
   */
  void add(String name, Values.Type type, List<Integer> shape, long elements) throws IOException {
    if (!names.add(name)) {
      throw new IllegalArgumentException("two tensors have the name '%s'".formatted(name));
    }
    long from = end;
    end = Math.addExact(from, Math.multiplyExact(elements, Values.BYTES));
    json.name(name).beginObject();
    json.name("dtype").value(type.dtype());
    json.name("shape").jsonValue(shape.toString().replace(" ", ""));
    json.name("data_offsets").jsonValue("[%d,%d]".formatted(from, end));
    json.endObject();
  }

  /** Bytes of all tensors so far. */
  long end() {
    return end;
  }

  /** The header as it is in a file, its length included; no tensor is added any more. */
  byte[] toBytes() throws IOException {
    json.endObject();
    byte[] header = text.toString().getBytes(StandardCharsets.UTF_8);
    int padding = -header.length & (ALIGNMENT - 1);
    return ByteBuffer.allocate(Long.BYTES + header.length + padding)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length + padding)
        .put(header)
        .put(" ".repeat(padding).getBytes(StandardCharsets.UTF_8))
        .array();
  }

  /**
   * The metadata of a header that begins with them, as those here do.
   *
   * @throws IllegalArgumentException if they are no texts by name
   */
  static Map<String, String> metadata(String header) {
    Map<String, String> metadata = new LinkedHashMap<>();
    JsonReader json = new JsonReader(new StringReader(header));
    json.setStrictness(Strictness.STRICT);
    try {
      json.beginObject();
      if (!json.nextName().equals(METADATA)) {
        throw new IllegalStateException("they are not first");
      }
      json.beginObject();
      while (json.hasNext()) {
        metadata.put(json.nextName(), json.nextString());
      }
      json.endObject();
    } catch (IOException | IllegalStateException e) {
      throw new IllegalArgumentException("its metadata are no JSON of texts: " + Reason.of(e), e);
    }
    return metadata;
  }
}
