package io.moneonnx.data;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Graphs with the inputs that language models have, and array files, byte by byte. */
public final class Fixtures {
  static final Path MODEL = Path.of("models/olmoe-tiny/model.onnx");
  static final Path TEXT = Path.of("test-data/text");
  static final Dimension BATCH = Dimension.of("batch");
  static final Dimension SEQUENCE = Dimension.of("sequence");
  static final Value INPUT_IDS = Value.of("input_ids", ElementType.INT64, BATCH, SEQUENCE);

  private Fixtures() {}

  /** A graph of these inputs, whose {@code input_ids} look up a table of so many rows. */
  static Graph languageModel(long vocabulary, Value... inputs) {
    Node lookup = Node.of("Gather", List.of("table", "input_ids"), List.of("hidden"), Map.of());
    return graph(List.of(lookup), table(vocabulary), inputs);
  }

  static Graph graph(Value... inputs) {
    return graph(List.of(), Map.of(), inputs);
  }

  static Graph graph(List<Node> nodes, Map<String, Initializer> initializers, Value... inputs) {
    return new Graph(
        "test", nodes, initializers, List.of(inputs), List.of(), Map.of(), UnknownFields.NONE);
  }

  static Map<String, Initializer> table(long rows) {
    Tensor table = Elements.zeros(ElementType.FLOAT, List.of(rows, 2L));
    return Map.of("table", Initializer.of("table", table));
  }

  static Map<String, Attribute> axis(long axis) {
    return Map.of("axis", Attribute.of(axis));
  }

  /** An NPY file of version 1, as NumPy writes it. */
  public static byte[] npy(String descr, String shape, byte[] elements) {
    return npy(1, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape, elements);
  }

  static byte[] npy(int version, String header, String descr, String shape, byte[] elements) {
    byte[] text = (header.formatted(descr, shape) + "\n").getBytes(StandardCharsets.UTF_8);
    int lengthBytes = version == 1 ? 2 : 4;
    ByteBuffer file =
        ByteBuffer.allocate(8 + lengthBytes + text.length + elements.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) version, 0});
    if (version == 1) {
      file.putShort((short) text.length);
    } else {
      file.putInt(text.length);
    }
    return file.put(text).put(elements).array();
  }

  /** An NPY file of int64. */
  static byte[] longs(String shape, long... values) {
    return npy("<i8", shape, bytes(Tensor.vector(values)));
  }

  static byte[] floats(String shape, float... values) {
    return npy("<f4", shape, bytes(Tensor.of(List.of((long) values.length), values)));
  }

  static byte[] bytes(Tensor tensor) {
    byte[] bytes = new byte[tensor.bytes().remaining()];
    tensor.bytes().get(bytes);
    return bytes;
  }

  public static Path npz(Path file, Map<String, byte[]> arrays) throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Map.Entry<String, byte[]> array : arrays.entrySet()) {
        zip.putNextEntry(new ZipEntry(array.getKey() + ".npy"));
        zip.write(array.getValue());
      }
    }
    return file;
  }

  /** A stored entry, as {@code numpy.savez} writes them. */
  static byte[] storedZip(String entryName, byte[] content) throws IOException {
    ZipEntry entry = new ZipEntry(entryName);
    CRC32 checksum = new CRC32();
    checksum.update(content);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(checksum.getValue());
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(file)) {
      zip.putNextEntry(entry);
      zip.write(content);
    }
    return file.toByteArray();
  }
}
