package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads one array in NumPy's NPY format, versions 1 to 3: a magic word, a header that is a Python
 * dictionary, the elements. Only what lies in memory as ONNX has it is read: little-endian, in C
 * order.
 */
final class NpyReader {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int MAX_HEADER = 1 << 20;
  private static final Pattern ORDER = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
  private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([\\d,\\s]*)\\)");
  private static final Pattern SIZE = Pattern.compile("\\d+");
  private static final Pattern TYPE = Pattern.compile("'descr'\\s*:\\s*(?:'([^']*)'|(\\[.*?\\]))");
  private static final Map<String, ElementType> TYPES =
      Map.ofEntries(
          Map.entry("f2", ElementType.FLOAT16),
          Map.entry("f4", ElementType.FLOAT),
          Map.entry("f8", ElementType.DOUBLE),
          Map.entry("i1", ElementType.INT8),
          Map.entry("i2", ElementType.INT16),
          Map.entry("i4", ElementType.INT32),
          Map.entry("i8", ElementType.INT64),
          Map.entry("u1", ElementType.UINT8),
          Map.entry("u2", ElementType.UINT16),
          Map.entry("u4", ElementType.UINT32),
          Map.entry("u8", ElementType.UINT64),
          Map.entry("b1", ElementType.BOOL));

  private final String label;
  private final DataInputStream in;

  private NpyReader(String label, InputStream in) {
    this.label = label;
    this.in = new DataInputStream(in);
  }

  /**
   * The array that {@code in} holds.
   *
   * @param label how messages call it
   * @throws BadInputException if it is no such array, or one that is not supported
   */
  static Tensor.Inline read(String label, InputStream in) throws IOException {
    NpyReader reader = new NpyReader(label, in);
    try {
      return reader.read();
    } catch (EOFException e) {
      throw reader.bad("ends within its header", e);
    }
  }

  private Tensor.Inline read() throws IOException {
    String header = header();
    ElementType type = type(header);
    List<Long> shape = shape(header);
    if (field(ORDER, header, "fortran_order").group(1).equals("True")) {
      throw bad("is in Fortran order; save numpy.ascontiguousarray of it");
    }
    return new Tensor.Inline(type, shape, elements(type, shape));
  }

  private String header() throws IOException {
    if (!Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) {
      throw bad("is no NPY array: its first bytes are not \\x93NUMPY");
    }
    int version = in.readUnsignedByte();
    in.readUnsignedByte();
    int length =
        switch (version) {
          case 1 -> Short.toUnsignedInt(Short.reverseBytes(in.readShort()));
          case 2, 3 -> Integer.reverseBytes(in.readInt());
          default -> throw bad("has NPY version " + version + ", expected 1, 2 or 3");
        };
    if (length < 0 || length > MAX_HEADER) {
      throw bad("has a header of " + Integer.toUnsignedString(length) + " bytes");
    }
    byte[] header = new byte[length];
    in.readFully(header);
    return new String(header, version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1);
  }

  private ElementType type(String header) {
    Matcher found = field(TYPE, header, "descr");
    String descr = found.group(1) == null ? found.group(2) : found.group(1);
    boolean readable = !descr.isEmpty() && "<|=".indexOf(descr.charAt(0)) >= 0;
    ElementType type = readable ? TYPES.get(descr.substring(1)) : null;
    if (type == null) {
      throw bad(
          "has dtype '%s', expected little-endian f2 to f8, i1 to i8, u1 to u8 or b1"
              .formatted(descr));
    }
    return type;
  }

  private List<Long> shape(String header) {
    try {
      String sizes = field(SHAPE, header, "shape").group(1);
      List<Long> shape =
          SIZE.matcher(sizes).results().map(MatchResult::group).map(Long::valueOf).toList();
      type(header).bytes(Tensor.elements(shape));
      return shape;
    } catch (NumberFormatException | ArithmeticException e) {
      throw bad("has a shape that is too large", e);
    }
  }

  private ByteBuffer elements(ElementType type, List<Long> shape) throws IOException {
    long wanted = type.bytes(Tensor.elements(shape));
    if (wanted > Integer.MAX_VALUE - 8) {
      throw bad("holds " + wanted + " bytes; more than 2 GB in one array is not read, split it");
    }
    byte[] bytes = in.readNBytes((int) wanted);
    if (bytes.length < wanted) {
      throw bad("ends early: %d bytes of %d".formatted(bytes.length, wanted));
    }
    return ByteBuffer.wrap(bytes);
  }

  private Matcher field(Pattern pattern, String header, String name) {
    Matcher matcher = pattern.matcher(header);
    if (!matcher.find()) {
      throw bad("has no readable '" + name + "' in its header: " + header.strip());
    }
    return matcher;
  }

  private BadInputException bad(String what) {
    return new BadInputException(label + " " + what);
  }

  private BadInputException bad(String what, Exception cause) {
    return new BadInputException(label + " " + what, cause);
  }
}
