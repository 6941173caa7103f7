package io.moneonnx.jinja;

import io.moneonnx.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template to tokens. White space around tags goes as jinja2 says: what a {@code -} asks
 * for, the first newline after a statement or comment, and what stands before one on its line.
 */
final class Lexer {
  private static final Pattern NUMBER = Pattern.compile("\\d+(\\.\\d+)?(?![\\w.])");
  private static final Pattern NAME = Pattern.compile("[A-Za-z_]\\w*");
  private static final Pattern OPERATOR =
      Pattern.compile("//|\\*\\*|==|!=|>=|<=|[-+/*%~\\[\\](){}<>=.:|,]");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;
  private int linesCounted;
  private boolean isLineStart = true;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokens(String template) {
    String lines = template.replace("\r\n", "\n").replace('\r', '\n');
    Lexer lexer = new Lexer(lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    for (int tag = nextTag(); tag < source.length(); tag = nextTag()) {
      char kind = source.charAt(tag + 1);
      char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
      String data = source.substring(at, tag);
      if (sign == '-') {
        data = PythonText.stripEnd(data);
      } else if (sign != '+' && kind != '{') {
        data = withoutIndent(data);
      }
      add(Kind.DATA, data);
      at = sign == '-' || sign == '+' ? tag + 3 : tag + 2;
      if (kind == '#') {
        skipComment();
      } else {
        add(kind == '%' ? Kind.STATEMENT_BEGIN : Kind.PRINT_BEGIN, source.substring(tag, at));
        addExpression(kind == '%' ? "%}" : "}}");
      }
      isLineStart = source.charAt(at - 1) == '\n';
    }
    add(Kind.DATA, source.substring(at));
    add(Kind.END, "end");
  }

  private int nextTag() {
    for (int i = source.indexOf('{', at); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "%{#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return source.length();
  }

  private String withoutIndent(String data) {
    int start = data.lastIndexOf('\n') + 1;
    boolean isIndent = PythonText.stripEnd(data.substring(start)).isEmpty();
    return isIndent && (start > 0 || isLineStart) ? data.substring(0, start) : data;
  }

  private void skipComment() {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw wrong("a comment does not end");
    }
    char sign = end > at ? source.charAt(end - 1) : ' ';
    at = end + 2;
    skipSpace(sign, true);
  }

  private void skipSpace(char sign, boolean isNewlineSkipped) {
    if (sign == '-') {
      skipSpace();
    } else if (sign != '+' && isNewlineSkipped && source.startsWith("\n", at)) {
      at++;
    }
  }

  private void skipSpace() {
    while (at < source.length() && PythonText.isSpace(source.charAt(at))) {
      at++;
    }
  }

  private void addExpression(String end) {
    int open = 0;
    for (skipSpace(); at < source.length(); skipSpace()) {
      char next = source.charAt(at);
      if (open == 0 && (source.startsWith(end, at) || isSignedEnd(next, end))) {
        boolean isSigned = !source.startsWith(end, at);
        add(Kind.TAG_END, end);
        at += end.length() + (isSigned ? 1 : 0);
        skipSpace(isSigned ? next : ' ', end.equals("%}"));
        return;
      }
      open += "([{".indexOf(next) >= 0 ? 1 : ")]}".indexOf(next) >= 0 ? -1 : 0;
      if (next == '\'' || next == '"') {
        addString(next);
      } else if (!taken(NUMBER) && !taken(NAME) && !taken(OPERATOR)) {
        throw wrong("found '%c', which begins nothing that is known".formatted(next));
      }
    }
    throw wrong("a tag does not end, expected " + end);
  }

  private boolean isSignedEnd(char sign, String end) {
    return (sign == '-' || (sign == '+' && end.equals("%}"))) && source.startsWith(end, at + 1);
  }

  private boolean taken(Pattern pattern) {
    Matcher matcher = pattern.matcher(source).region(at, source.length());
    matcher.useTransparentBounds(true);
    if (!matcher.lookingAt()) {
      return false;
    }
    Kind number = matcher.group().contains(".") ? Kind.FLOAT : Kind.INTEGER;
    add(pattern == NUMBER ? number : pattern == NAME ? Kind.NAME : Kind.OPERATOR, matcher.group());
    at = matcher.end();
    return true;
  }

  private void addString(char quote) {
    StringBuilder text = new StringBuilder();
    int i = at + 1;
    while (i < source.length() && source.charAt(i) != quote) {
      if (source.charAt(i) != '\\') {
        text.append(source.charAt(i++));
      } else {
        i = unescape(i + 1, text);
      }
    }
    if (i >= source.length()) {
      throw wrong("a text does not end, expected " + quote);
    }
    add(Kind.STRING, text.toString());
    at = i + 1;
  }

  /** Returns where it goes on. */
  private int unescape(int i, StringBuilder text) {
    char sign = i < source.length() ? source.charAt(i) : ' ';
    int known = "ntr\\'\"bf".indexOf(sign);
    if (known >= 0) {
      text.append("\n\t\r\\'\"\b\f".charAt(known));
    } else if (sign == 'u' || sign == 'x') {
      int end = i + (sign == 'u' ? 5 : 3);
      String digits = source.substring(i + 1, Math.min(end, source.length()));
      if (!digits.matches("[0-9a-fA-F]{%d}".formatted(end - i - 1))) {
        throw wrong("found \\%s%s, expected hexadecimal digits".formatted(sign, digits));
      }
      text.append((char) Integer.parseInt(digits, 16));
      return end;
    } else if (Character.isLetterOrDigit(sign) && "avNU01234567".indexOf(sign) >= 0) {
      throw wrong("the escape \\%c is not supported".formatted(sign));
    } else if (sign != '\n') {
      text.append('\\').append(sign);
    }
    return i + 1;
  }

  private void add(Kind kind, String text) {
    if (kind != Kind.DATA || !text.isEmpty()) {
      tokens.add(new Token(kind, text, line()));
    }
  }

  private int line() {
    for (; linesCounted < Math.min(at, source.length()); linesCounted++) {
      line += source.charAt(linesCounted) == '\n' ? 1 : 0;
    }
    return line;
  }

  private TemplateException wrong(String what) {
    return new TemplateException(what).at(line());
  }
}
