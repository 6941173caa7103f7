package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import io.moneonnx.graph.Tensor;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/** Reads the arrays of a {@code .npy} or {@code .npz} file by name. */
final class ArrayFile {
  private static final String SUFFIX = ".npy";

  private ArrayFile() {}

  static Map<String, Tensor.Inline> read(Path file) {
    try {
      return file.toString().endsWith(SUFFIX) ? readSingle(file) : readArchive(file);
    } catch (ZipException e) {
      throw new BadInputException(file + " is no readable .npz archive: " + Reason.of(e), e);
    } catch (IOException e) {
      throw new BadInputException(file + " cannot be read: " + Reason.of(e), e);
    }
  }

  /** One array, named as its file is. */
  private static Map<String, Tensor.Inline> readSingle(Path file) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      return Map.of(withoutSuffix(file.getFileName().toString()), NpyReader.read("" + file, in));
    }
  }

  private static Map<String, Tensor.Inline> readArchive(Path file) throws IOException {
    Map<String, Tensor.Inline> arrays = new LinkedHashMap<>();
    try (ZipFile archive = new ZipFile(file.toFile())) {
      for (ZipEntry entry : archive.stream().toList()) {
        if (entry.getName().endsWith(SUFFIX)) {
          String name = withoutSuffix(entry.getName());
          String label = "%s: array '%s'".formatted(file, name);
          try (InputStream in = archive.getInputStream(entry)) {
            arrays.put(name, NpyReader.read(label, in));
          }
        }
      }
    }
    if (arrays.isEmpty()) {
      throw new BadInputException(file + " holds no arrays");
    }
    return arrays;
  }

  private static String withoutSuffix(String name) {
    return name.substring(0, name.length() - SUFFIX.length());
  }
}
