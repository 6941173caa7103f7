package io.moneonnx.passgen;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Compiles {@code passes/*.pattern} to Java, while the project is built: a record for each pattern
 * and a sealed interface for each kind. A file that would not change is left untouched, so that
 * nothing is compiled again because of it; one that nobody asks for any more is deleted.
 */
public final class PassCompiler {
  private PassCompiler() {}

  /** Takes the folder of the patterns and the folder for the Java files' package root. */
  public static void main(String[] arguments) throws IOException {
    compile(Path.of(arguments[0]), Path.of(arguments[1]));
  }

  static void compile(Path passes, Path generated) throws IOException {
    Path folder = generated.resolve(Names.PASSES.replace('.', '/'));
    Map<Path, String> files = new LinkedHashMap<>();
    write(read(passes)).forEach((name, text) -> files.put(folder.resolve(name + ".java"), text));
    Files.createDirectories(folder);
    for (Path old : list(folder)) {
      if (!files.containsKey(old)) {
        Files.delete(old);
      }
    }
    for (Map.Entry<Path, String> file : files.entrySet()) {
      Path path = file.getKey();
      if (!Files.exists(path) || !Files.readString(path).equals(file.getValue())) {
        Files.writeString(path, file.getValue());
      }
    }
  }

  private static List<PatternTree> read(Path passes) throws IOException {
    List<Path> paths =
        list(passes).stream().filter(path -> path.toString().endsWith(".pattern")).toList();
    List<PatternTree> patterns = new ArrayList<>();
    for (Path path : paths) {
      String shown = passes.getFileName().resolve(path.getFileName()).toString();
      PatternTree pattern =
          PatternParser.parse(new Source(shown.replace('\\', '/'), Files.readString(path)));
      PatternChecker.check(pattern);
      patterns.add(pattern);
    }
    return patterns;
  }

  /** The text of each Java file by the name of its type. */
  private static Map<String, String> write(List<PatternTree> patterns) {
    Map<String, List<PatternTree>> kinds =
        patterns.stream()
            .collect(groupingBy(pattern -> pattern.kind().text(), TreeMap::new, toList()));
    Map<String, String> files = new LinkedHashMap<>();
    for (PatternTree pattern : patterns) {
      if (kinds.containsKey(pattern.name().text())) {
        throw pattern.source().error(pattern.name(), pattern.name() + " is the name of a kind");
      }
      files.put(pattern.name().text(), new MatcherWriter(pattern).write().toString());
    }
    kinds.forEach((kind, of) -> files.put(kind, new KindWriter(kind, of).write().toString()));
    return files;
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> paths = Files.list(folder)) {
      return paths.sorted().toList();
    }
  }
}
