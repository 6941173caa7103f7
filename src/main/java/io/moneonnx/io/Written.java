package io.moneonnx.io;

import java.nio.file.Path;
import java.util.List;

/**
 * What a published model consists of.
 *
 * @param files the data file, if there is one, and the model file
 * @param bytes their size together
 */
public record Written(List<Path> files, long bytes) {
  public Written {
    files = List.copyOf(files);
  }

  /** The model file. */
  public Path model() {
    return files.get(files.size() - 1);
  }
}
