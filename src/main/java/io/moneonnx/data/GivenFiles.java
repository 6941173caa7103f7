package io.moneonnx.data;

import static java.util.stream.Collectors.joining;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.PatternSyntaxException;

/**
 * The files that sources stand for: a folder for the data files in it, a name with wildcards for
 * those that it matches, each sorted by name; any other source for itself.
 *
 * @param notices which files of folders were left out
 */
public record GivenFiles(List<DataSource> files, List<String> notices) {
  private static final String WILDCARDS = ".*[*?\\[{].*";
  private static final String DATA =
      ".*\\.(npz|npy|parquet|(txt|text|md|jsonl|ndjson|json|csv|tsv)(\\.gz)?)";

  public GivenFiles {
    files = List.copyOf(files);
    notices = List.copyOf(notices);
  }

  /**
   * Looks them up.
   *
   * @throws BadInputException if there are none in a folder, or none that wildcards match
   */
  public static GivenFiles of(List<DataSource> given) {
    List<DataSource> files = new ArrayList<>();
    List<String> notices = new ArrayList<>();
    for (DataSource source : given) {
      paths(source.path(), notices).forEach(path -> files.add(new DataSource(source.tag(), path)));
    }
    return new GivenFiles(files, notices);
  }

  private static List<Path> paths(Path path, List<String> notices) {
    if (Files.isDirectory(path)) {
      return ofFolder(path, notices);
    }
    String name = path.toString().isEmpty() ? "" : path.getFileName().toString();
    return name.matches(WILDCARDS) && !Files.exists(path) ? matching(path, name) : List.of(path);
  }

  private static List<Path> ofFolder(Path folder, List<String> notices) {
    List<Path> data = new ArrayList<>();
    List<Path> others = new ArrayList<>();
    for (Path file : listed(folder, "*")) {
      (isData(file) ? data : others).add(file);
    }
    if (data.isEmpty()) {
      throw new BadInputException(
          "%s: is a folder, expected files with data in it, such as .txt or .jsonl; found none"
              .formatted(folder));
    }
    if (!others.isEmpty()) {
      notices.add(
          "%s: left out, for their names are not those of data: %s"
              .formatted(
                  folder,
                  others.stream()
                      .map(Path::getFileName)
                      .map(Path::toString)
                      .collect(joining(", "))));
    }
    return data;
  }

  private static boolean isData(Path file) {
    return file.getFileName().toString().toLowerCase(Locale.ROOT).matches(DATA);
  }

  private static List<Path> matching(Path path, String name) {
    Path parent = path.getParent();
    List<Path> found =
        parent == null || Files.isDirectory(parent)
            ? listed(parent == null ? Path.of("") : parent, name)
            : List.of();
    if (found.isEmpty()) {
      throw new BadInputException(path + ": no such file, and none that it matches");
    }
    return found;
  }

  /** Files, hidden ones left out. */
  private static List<Path> listed(Path folder, String glob) {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(folder, glob)) {
      for (Path file : all) {
        if (Files.isRegularFile(file) && !file.getFileName().toString().startsWith(".")) {
          files.add(file);
        }
      }
    } catch (PatternSyntaxException e) {
      throw new BadInputException("%s: no such file, and no pattern".formatted(glob), e);
    } catch (IOException e) {
      throw new BadInputException(folder + ": cannot be read: " + Reason.of(e), e);
    }
    files.sort(null);
    return files;
  }
}
