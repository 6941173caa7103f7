package io.moneonnx.io;

import java.nio.file.Path;
import java.util.List;

/**
 * What a published model consists of.
 *
 * @param files the data file, if there is one, and the model file
 * @param bytes their size together
 * @param linked what it shares with the model that it was made from
 */
public record Written(List<Path> files, long bytes, Linked linked) {
  public Written {
    files = List.copyOf(files);
  }

  /**
   * Data files of another model that this one refers to.
   *
   * @param files those files, or hard links to them
   * @param bytes of its tensors in them
   */
  public record Linked(List<Path> files, long bytes) {
    public static final Linked NONE = new Linked(List.of(), 0);

    public Linked {
      files = List.copyOf(files);
    }
  }

  /** The model file. */
  public Path model() {
    return files.get(files.size() - 1);
  }
}
