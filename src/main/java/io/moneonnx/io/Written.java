package io.moneonnx.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;

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

  /**
   * What is going to be published.
   *
   * @param drafts the files as they are now, the model last
   * @param target where each is going to be
   */
  static Written of(List<Path> drafts, UnaryOperator<Path> target, Linked linked)
      throws IOException {
    return new Written(drafts.stream().map(target).toList(), ModelFiles.bytes(drafts), linked);
  }

  /** The model file. */
  public Path model() {
    return files.get(files.size() - 1);
  }
}
