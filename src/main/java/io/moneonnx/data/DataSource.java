package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Nearest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A file with calibration data.
 *
 * @param tag what the user calls it; files of one tag belong together, and so do those without
 */
public record DataSource(Optional<String> tag, Path path) {
  /** A file that nobody called anything. */
  public static DataSource untagged(Path path) {
    return new DataSource(Optional.empty(), path);
  }

  /** Files that nobody called anything. */
  public static List<DataSource> untagged(List<Path> paths) {
    return paths.stream().map(DataSource::untagged).toList();
  }

  /**
   * Checks that there is such a file, and that it is of no kind that is not read.
   *
   * @throws BadInputException if there is none, or it is no text and holds no arrays
   */
  void requireFile() {
    if (!Files.exists(path)) {
      throw new BadInputException(path + ": " + Nearest.missing(path));
    }
    if (!isArrays()) {
      NoText.refuse(path);
    }
  }

  /** True where the model is to write the text itself: no file, but {@code self[:TOKENS]}. */
  public boolean isOwn() {
    String name = path.toString();
    return (name.equals(OwnText.NAME) || name.startsWith(OwnText.NAME + ":"))
        && !Files.exists(path);
  }

  /** True of a {@code .npz} or {@code .npy} file; any other is text. */
  boolean isArrays() {
    return isArrays(path);
  }

  static boolean isArrays(Path file) {
    return file.toString().endsWith(".npz") || file.toString().endsWith(".npy");
  }

  /**
   * Reads {@code FILE} or {@code TAG=FILE}; {@code -} is standard input, which is read here and
   * now, as pipes are. What is there under the whole text is a file, whatever signs are in its
   * name; a tag holds no slash.
   *
   * @throws BadInputException if the tag or the file has no name
   */
  public static DataSource parse(String text) {
    return parse("--data", text);
  }

  /** The same for another option, named in messages. */
  public static DataSource parse(String option, String text) {
    int equals = text.indexOf('=');
    if (text.isEmpty()) {
      throw new BadInputException(option + ": the name is empty, expected FILE or TAG=FILE");
    }
    if (equals < 0 || Files.exists(Path.of(text)) || text.substring(0, equals).contains("/")) {
      return untagged(kept(Path.of(text)));
    }
    if (equals == 0 || equals == text.length() - 1) {
      throw new BadInputException(option + ": found '" + text + "', expected FILE or TAG=FILE");
    }
    return new DataSource(
        Optional.of(text.substring(0, equals)), kept(Path.of(text.substring(equals + 1))));
  }

  /** The file itself; what comes from standard input ({@code -}) or a pipe is put into one. */
  public static Path kept(Path path) {
    return PipedData.isPiped(path) ? PipedData.file(path) : path;
  }
}
