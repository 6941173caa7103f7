package io.moneonnx.passgen;

import io.moneonnx.passgen.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Splits a pattern file into tokens; comments are left out, but for the one at its head. */
final class Lexer {
  private static final Pattern TOKEN =
      Pattern.compile(
          """
          \\s+|//.*\
          |(?<NAME>[A-Za-z]\\w*(?:\\.\\w+)*)\
          |(?<NUMBER>-?\\d+(?:\\.\\d+)?(?:[eE][-+]?\\d+)?)\
          |"(?<STRING>[^"\\n]*)"\
          |(?<SYMBOL>=>|[_=:,|?@<>(){}\\[\\]])""");

  private Lexer() {}

  /** The tokens of {@code source}, the last of them of kind {@code END}. */
  static List<Token> tokens(Source source) {
    List<Token> tokens = new ArrayList<>();
    Matcher matcher = TOKEN.matcher(source.text());
    int line = 1;
    int lineStart = 0;
    int at = 0;
    while (matcher.find(at) && matcher.start() == at) {
      token(matcher, line, at - lineStart + 1).ifPresent(tokens::add);
      for (int i = at; i < matcher.end(); i++) {
        if (source.text().charAt(i) == '\n') {
          line++;
          lineStart = i + 1;
        }
      }
      at = matcher.end();
    }
    Token end = new Token(Kind.END, "", line, at - lineStart + 1);
    if (at < source.text().length()) {
      throw source.error(end, "cannot read '" + source.text().charAt(at) + "'");
    }
    tokens.add(end);
    return tokens;
  }

  private static Optional<Token> token(Matcher matcher, int line, int column) {
    return Stream.of(Kind.NAME, Kind.NUMBER, Kind.STRING, Kind.SYMBOL)
        .filter(kind -> matcher.group(kind.name()) != null)
        .map(kind -> new Token(kind, matcher.group(kind.name()), line, column))
        .findFirst();
  }

  /** The comment that the file begins with, without its slashes. */
  static String comment(Source source) {
    return source
        .text()
        .lines()
        .takeWhile(line -> line.startsWith("//"))
        .map(line -> line.substring(2).strip())
        .reduce((one, other) -> one + "\n" + other)
        .orElse("");
  }
}
