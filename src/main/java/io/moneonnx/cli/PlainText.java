package io.moneonnx.cli;

import java.io.FilterWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.Charset;
import java.util.stream.Collectors;

/**
 * What is printed: names and texts come out of files that may be anybody's, and must not steer a
 * terminal. Control characters other than line ends and tabs are written as {@code \\u001b}.
 */
final class PlainText {
  private static final int LONGEST_LINE = 2000;

  private PlainText() {}

  /** A message whose lines are of bounded length: of longer ones the middle is left out. */
  static String message(String text) {
    return text.length() <= LONGEST_LINE && text.chars().noneMatch(c -> c == '\t' || steers(c))
        ? text
        : text.lines().map(PlainText::line).collect(Collectors.joining("\n"));
  }

  private static String line(String whole) {
    String line = whole;
    if (line.length() > LONGEST_LINE) {
      int part = LONGEST_LINE / 2 - 50;
      int left = line.length() - 2 * part;
      line =
          "%s ... (%d characters) ... %s"
              .formatted(line.substring(0, part), left, line.substring(line.length() - part));
    }
    StringBuilder plain = new StringBuilder();
    line.chars().forEach(character -> plain.append(escaped((char) character)));
    return plain.toString().replace("\t", "\\t");
  }

  private static boolean steers(int character) {
    return Character.isISOControl(character)
        && character != '\n'
        && character != '\r'
        && character != '\t';
  }

  private static String escaped(char character) {
    return steers(character) ? "\\u%04x".formatted((int) character) : String.valueOf(character);
  }

  /** Writes in the encoding of the platform, with control characters escaped. */
  static PrintWriter writer(OutputStream out) {
    Writer bytes = new OutputStreamWriter(out, Charset.defaultCharset());
    return new PrintWriter(new Escaping(bytes), true);
  }

  private static final class Escaping extends FilterWriter {
    Escaping(Writer out) {
      super(out);
    }

    @Override
    public void write(int character) throws IOException {
      write(new char[] {(char) character}, 0, 1);
    }

    @Override
    public void write(char[] characters, int from, int length) throws IOException {
      write(new String(characters, from, length), 0, length);
    }

    @Override
    public void write(String text, int from, int length) throws IOException {
      int plain = from;
      for (int i = from; i < from + length; i++) {
        if (steers(text.charAt(i))) {
          out.write(text, plain, i - plain);
          out.write(escaped(text.charAt(i)));
          plain = i + 1;
        }
      }
      out.write(text, plain, from + length - plain);
    }
  }
}
