package io.moneonnx.io;

import com.google.protobuf.Message;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Reason;
import io.moneonnx.proto.onnx.StringStringEntryProto;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The data files of a model: which bytes of them a tensor means. They must lie in the model's
 * folder, as ONNX Runtime wants it too: a model is no way to read any other file of the user's.
 */
final class ExternalData {
  private final Path model;
  private final Path folder;
  private final Map<String, Path> files = new HashMap<>();

  ExternalData(Path model) throws IOException {
    this.model = model;
    this.folder = model.toAbsolutePath().getParent().toRealPath();
  }

  /**
   * The bytes that {@code tensor} says it has.
   *
   * @param what what messages call the tensor
   * @param wanted bytes that its type and shape want
   */
  FileRange range(TensorProto tensor, String what, long wanted) {
    Map<String, String> entries = new HashMap<>();
    for (StringStringEntryProto entry : tensor.getExternalDataList()) {
      entries.put(entry.getKey(), entry.getValue());
    }
    String location = entries.getOrDefault("location", "");
    Path file = files.computeIfAbsent(location, name -> find(name, what));
    long offset = number(entries, "offset", 0, what);
    long stated = number(entries, "length", wanted, what);
    long length = stated == 0 ? wanted : stated; // tools that do not know it write 0
    if (length != wanted) {
      throw bad(
          what,
          "its shape wants %d bytes, external data '%s' gives it %d"
              .formatted(wanted, location, length));
    }
    long size = size(file, what);
    if (offset > size - length) {
      throw bad(
          what,
          "wants bytes %d to %d of external data '%s', which has only %d"
              .formatted(offset, offset + length, location, size));
    }
    return new FileRange(file, offset, length);
  }

  private Path find(String location, String what) {
    if (location.isEmpty()) {
      throw bad(what, "has external data without a location");
    }
    Path relative = path(location, what);
    Path named = folder.resolve(relative).normalize();
    if (relative.isAbsolute() || location.startsWith("/") || !named.startsWith(folder)) {
      throw outside(location, what);
    }
    if (!Files.isRegularFile(named)) {
      throw bad(what, "external data '%s' is missing in %s".formatted(location, folder));
    }
    try {
      Path real = named.toRealPath();
      if (!real.startsWith(folder)) {
        throw outside(location + "' -> '" + real, what);
      }
      return real;
    } catch (IOException e) {
      throw bad(what, "external data '%s': %s".formatted(location, Reason.of(e)));
    }
  }

  private Path path(String location, String what) {
    try {
      return Path.of(location);
    } catch (InvalidPathException e) {
      throw bad(what, "external data '%s' is no file name".formatted(location));
    }
  }

  private long number(Map<String, String> entries, String key, long otherwise, String what) {
    String text = entries.get(key);
    if (text == null) {
      return otherwise;
    }
    if (!text.matches("\\d{1,18}")) {
      throw bad(what, "%s of its external data is '%s', no count of bytes".formatted(key, text));
    }
    return Long.parseLong(text);
  }

  private long size(Path file, String what) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw bad(what, "external data: " + Reason.of(e));
    }
  }

  private BadInputException outside(String location, String what) {
    return bad(what, "external data '%s' is outside the model's folder".formatted(location));
  }

  private BadInputException bad(String what, String found) {
    return new BadInputException("%s: %s: %s".formatted(model, what, found));
  }

  /** True if a tensor anywhere in {@code message} has its bytes in a data file. */
  static boolean isIn(Message message) {
    if (message instanceof TensorProto tensor) {
      return tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
    }
    return message.getAllFields().values().stream()
        .flatMap(field -> field instanceof List<?> items ? items.stream() : Stream.of(field))
        .anyMatch(item -> item instanceof Message nested && isIn(nested));
  }

  /** Says in {@code tensor} where its bytes are. */
  static void describe(TensorProto.Builder tensor, String location, long offset, long length) {
    tensor
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(entry("location", location))
        .addExternalData(entry("offset", Long.toString(offset)))
        .addExternalData(entry("length", Long.toString(length)));
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }
}
