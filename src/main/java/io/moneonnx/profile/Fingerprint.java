package io.moneonnx.profile;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Function;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Tells models apart: a hash over the graph, the routers' weights, and samples of every other
 * tensor, so that a fine-tune of the same graph has another fingerprint. Where the file lies, how
 * it stores its tensors and what its metadata says make no difference.
 */
public final class Fingerprint implements AutoCloseable {
  private static final int SAMPLES = 8;
  private static final int SAMPLE_BYTES = 512;
  private static final int SMALL_BYTES = 1 << 16;
  private static final int CHUNK_BYTES = 1 << 20;
  private static final int HEX_DIGITS = 32;

  private final MessageDigest digest;
  private final Set<String> whole;
  private final Map<Path, FileChannel> files = new HashMap<>();

  private Fingerprint(Set<String> whole) {
    this.whole = whole;
    try {
      this.digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * The fingerprint of a model as its exporter spelled it, such as {@code sha256:0123...} with 32
   * digits.
   *
   * @param routers names of initializers of which every byte counts
   * @throws UncheckedIOException if a file with weights cannot be read
   */
  public static String of(Model model, Set<String> routers) {
    try (Fingerprint fingerprint = new Fingerprint(Set.copyOf(routers))) {
      fingerprint.add(new TreeMap<>(model.opsets()).toString());
      fingerprint.add(model.graph());
      for (Function function : model.functions()) {
        fingerprint.add(function);
      }
      byte[] hash = fingerprint.digest.digest();
      return "sha256:" + HexFormat.of().formatHex(hash).substring(0, HEX_DIGITS);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void add(Graph graph) throws IOException {
    addValues(graph.feeds());
    addValues(graph.outputs());
    Map<String, Initializer> sorted = new TreeMap<>(graph.initializers());
    add(sorted.size());
    for (Initializer initializer : sorted.values()) {
      add(initializer.name());
      add(initializer.tensor(), whole.contains(initializer.name()));
    }
    add(graph.nodes().size());
    for (Node node : graph.nodes()) {
      add(node);
    }
  }

  private void add(Function function) throws IOException {
    add(function.label());
    addTexts(function.inputs());
    addTexts(function.outputs());
    add(new TreeMap<>(function.opsets()).toString());
    addAttributes(function.defaults());
    for (Node node : function.nodes()) {
      add(node);
    }
  }

  private void addValues(List<Value> values) {
    add(values.size());
    for (Value value : values) {
      add(value.name());
      add(value.type().toString());
    }
  }

  private void add(Node node) throws IOException {
    add(node.domain());
    add(node.opType());
    addTexts(node.inputs());
    addTexts(node.outputs());
    addAttributes(node.attributes());
  }

  private void addAttributes(Map<String, Attribute> attributes) throws IOException {
    Map<String, Attribute> sorted = new TreeMap<>(attributes);
    add(sorted.size());
    for (Map.Entry<String, Attribute> attribute : sorted.entrySet()) {
      add(attribute.getKey());
      add(attribute.getValue());
    }
  }

  private void add(Attribute attribute) throws IOException {
    if (attribute instanceof Attribute.OfGraph nested) {
      add(nested.value());
    } else if (attribute instanceof Attribute.OfTensor tensor) {
      add(tensor.value(), false);
    } else if (attribute instanceof Attribute.Reference reference) {
      add(reference.wire().bytes());
    } else if (attribute instanceof Attribute.Opaque opaque) {
      add(opaque.wire().bytes());
    } else {
      add(text(attribute));
    }
  }

  private static String text(Attribute attribute) {
    if (attribute instanceof Attribute.OfInt number) {
      return "int " + number.value();
    } else if (attribute instanceof Attribute.OfFloat number) {
      return "float " + number.value();
    } else if (attribute instanceof Attribute.OfText text) {
      return "text " + text.value();
    } else if (attribute instanceof Attribute.OfInts numbers) {
      return "ints " + numbers.values();
    } else if (attribute instanceof Attribute.OfFloats numbers) {
      return "floats " + numbers.values();
    } else if (attribute instanceof Attribute.OfTexts texts) {
      return "texts " + texts.values();
    }
    throw new IllegalStateException("an attribute of a new kind: " + attribute);
  }

  private void add(Tensor tensor, boolean everyByte) throws IOException {
    add(tensor.type().code());
    add(tensor.dims().toString());
    if (tensor instanceof Tensor.Strings strings) {
      for (ByteBuffer value : strings.values()) {
        add(value.duplicate());
      }
    } else if (everyByte || tensor.byteSize() <= SMALL_BYTES) {
      for (long from = 0; from < tensor.byteSize(); from += CHUNK_BYTES) {
        addBytes(tensor, from, Math.min(CHUNK_BYTES, tensor.byteSize() - from));
      }
    } else {
      addSamples(tensor);
    }
  }

  /** Evenly spaced, the first at the start and the last at the end. */
  private void addSamples(Tensor tensor) throws IOException {
    long last = tensor.byteSize() - SAMPLE_BYTES;
    for (int i = 0; i < SAMPLES; i++) {
      addBytes(
          tensor,
          last / (SAMPLES - 1) * i + last % (SAMPLES - 1) * i / (SAMPLES - 1),
          SAMPLE_BYTES);
    }
  }

  private void addBytes(Tensor tensor, long from, long length) throws IOException {
    if (tensor instanceof Tensor.Inline inline) {
      digest.update(inline.bytes().slice(Math.toIntExact(from), Math.toIntExact(length)));
    } else if (tensor instanceof Tensor.External external) {
      addBytes(external.ranges(), from, length);
    } else {
      throw new IllegalStateException("a tensor of no file and not in memory: " + tensor);
    }
  }

  private void addBytes(List<FileRange> ranges, long from, long length) throws IOException {
    long start = 0;
    for (FileRange range : ranges) {
      long first = Math.max(from, start);
      long end = Math.min(from + length, start + range.length());
      if (first < end) {
        addBytes(range.part(first - start, end - first));
      }
      start += range.length();
    }
  }

  private void addBytes(FileRange range) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(range.length()));
    FileChannel file = open(range.file());
    while (bytes.hasRemaining()) {
      if (file.read(bytes, range.offset() + bytes.position()) < 0) {
        throw new EOFException(
            range.file() + " ends before byte " + (range.offset() + range.length()));
      }
    }
    digest.update(bytes.flip());
  }

  private FileChannel open(Path file) throws IOException {
    FileChannel open = files.get(file);
    if (open == null) {
      open = FileChannel.open(file, StandardOpenOption.READ);
      files.put(file, open);
    }
    return open;
  }

  private void addTexts(Collection<String> texts) {
    add(texts.size());
    texts.forEach(this::add);
  }

  /** Lengths go in before contents, so that no two graphs run together to the same bytes. */
  private void add(String text) {
    add(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  private void add(ByteBuffer bytes) {
    add(bytes.remaining());
    digest.update(bytes);
  }

  private void add(int number) {
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(number).flip());
  }

  @Override
  public void close() throws IOException {
    for (FileChannel file : files.values()) {
      file.close();
    }
  }
}
