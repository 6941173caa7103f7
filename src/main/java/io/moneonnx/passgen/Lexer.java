package io.moneonnx.passgen;

import io.moneonnx.passgen.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Splits a pattern file into tokens; comments are left out, but for the one at its head. */
final class Lexer {
  private static final Pattern TOKEN =
      Pattern.compile(
          """
          (?<blank>\\s+|//.*)\
          |(?<name>[A-Za-z]\\w*(?:\\.\\w+)*)\
          |(?<number>-?\\d+(?:\\.\\d+)?(?:[eE][-+]?\\d+)?)\
          |"(?<string>[^"\\n]*)"\
          |(?<symbol>=>|[_=:,|?@<>(){}\\[\\]])""");

  private Lexer() {}

  /** The tokens of {@code source}, the last of them of kind {@code END}. */
  static List<Token> tokens(Source source) {
    List<Token> tokens = new ArrayList<>();
    Matcher matcher = TOKEN.matcher(source.text());
    int line = 1;
    int lineStart = 0;
    int at = 0;
    while (matcher.find(at) && matcher.start() == at) {
      Token token = token(matcher, line, at - lineStart + 1);
      if (token.kind() != Kind.END) {
        tokens.add(token);
      }
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

  private static Token token(Matcher matcher, int line, int column) {
    for (Kind kind : Kind.values()) {
      if (kind != Kind.END) {
        String text = matcher.group(kind.name().toLowerCase(java.util.Locale.ROOT));
        if (text != null) {
          return new Token(kind, text, line, column);
        }
      }
    }
    return new Token(Kind.END, "", line, column);
  }

  /** The comment that the file begins with, on one line. */
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
