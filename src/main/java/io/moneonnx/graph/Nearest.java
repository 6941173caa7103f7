package io.moneonnx.graph;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The name that somebody meant who wrote one that is none. */
public final class Nearest {
  private static final int MOST_FILES = 10_000;

  private Nearest() {}

  /** The nearest of some names; empty if none is near: a third of the letters may differ. */
  public static Optional<String> of(String written, Collection<String> names) {
    return names.stream()
        .filter(name -> !name.equals(written))
        .filter(name -> 3 * distance(written, name) <= Math.max(3, written.length()))
        .min(
            Comparator.comparingInt((String name) -> distance(written, name))
                .thenComparing(Comparator.naturalOrder()));
  }

  /** Such as {@code no such file; did you mean 'model.onnx'?}. */
  public static String missing(Path file) {
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null || file.getFileName() == null) {
      return "no such file";
    } else if (!Files.isDirectory(folder)) {
      return "no such file: there is no folder '%s'".formatted(file.getParent());
    }
    try (Stream<Path> beside = Files.list(folder)) {
      List<String> names =
          beside.limit(MOST_FILES).map(path -> path.getFileName().toString()).toList();
      return "no such file" + question(file.getFileName().toString(), names);
    } catch (IOException e) {
      return "no such file";
    }
  }

  /** Such as {@code ; did you mean 'rewrite'?}, or nothing. */
  public static String question(String written, Collection<String> names) {
    return of(written, names).map(name -> "; did you mean '" + name + "'?").orElse("");
  }

  /** Letters to put in, to take out or to change, until one word is the other. */
  private static int distance(String one, String other) {
    if (Math.abs(one.length() - other.length()) > Math.max(1, one.length() / 3)) {
      return Integer.MAX_VALUE / 4;
    }
    int[] row = new int[other.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int change = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(change, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[other.length()];
  }
}
