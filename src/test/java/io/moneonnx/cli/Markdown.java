package io.moneonnx.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A page of documentation. */
record Markdown(Path file) {
  private static final Pattern FENCED =
      Pattern.compile("^```(\\w*)\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);

  /** README.md and all of docs. */
  static List<Markdown> all() throws IOException {
    try (Stream<Path> docs = Files.list(Path.of("docs"))) {
      return Stream.concat(Stream.of(Path.of("README.md")), docs)
          .filter(file -> file.toString().endsWith(".md"))
          .sorted()
          .map(Markdown::new)
          .toList();
    }
  }

  /**
   * What stands in fenced blocks that say they are in this language; empty for those that do not.
   */
  List<String> blocks(String language) throws IOException {
    return FENCED
        .matcher(Files.readString(file))
        .results()
        .filter(block -> block.group(1).equals(language))
        .map(block -> block.group(2))
        .toList();
  }

  /** Command lines in fenced blocks that say no language. */
  List<Shell> commands() throws IOException {
    return blocks("").stream().flatMap(block -> Shell.of(block).stream()).toList();
  }

  @Override
  public String toString() {
    return file.toString();
  }

  /** A command line of this program, as it is typed. */
  record Shell(String text) {
    private static final Pattern WORD = Pattern.compile("'([^']*)'|\"([^\"]*)\"|(\\S+)");

    /** The lines of a script that run this program. */
    static List<Shell> of(String script) {
      return script
          .replaceAll("\\\\\\n\\s*", "")
          .lines()
          .filter(line -> line.matches("(\\./)?mone-onnx .*"))
          .map(Shell::new)
          .toList();
    }

    /** What the program is given: words but the first, up to a redirection. */
    String[] arguments() {
      return WORD.matcher(text)
          .results()
          .map(Shell::unquoted)
          .skip(1)
          .takeWhile(word -> !word.equals(">"))
          .toArray(String[]::new);
    }

    private static String unquoted(MatchResult word) {
      return Stream.of(1, 2, 3).map(word::group).filter(g -> g != null).findFirst().orElseThrow();
    }

    @Override
    public String toString() {
      return text;
    }
  }
}
