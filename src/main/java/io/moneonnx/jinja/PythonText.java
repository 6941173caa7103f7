package io.moneonnx.jinja;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Texts as Python makes them of values: {@code str()} and {@code repr()}. */
final class PythonText {
  private PythonText() {}

  /** What a value is where it is printed. */
  static String of(Object value) {
    if (value instanceof String text) {
      return text;
    } else if (value instanceof Markup markup) {
      return markup.text();
    } else if (value instanceof Undefined) {
      return "";
    }
    return repr(value);
  }

  /** What it is inside of a list that is printed. */
  static String repr(Object value) {
    if (value instanceof String text) {
      return quoted(text);
    } else if (value instanceof Boolean isTrue) {
      return isTrue ? "True" : "False";
    } else if (value instanceof Long number) {
      return number.toString();
    } else if (value instanceof Double number) {
      return decimal(number);
    } else if (value == None.NONE) {
      return "None";
    } else if (value instanceof List<?> list) {
      return list.stream().map(PythonText::repr).collect(Collectors.joining(", ", "[", "]"));
    } else if (value instanceof Map<?, ?> map) {
      return map.entrySet().stream()
          .map(entry -> repr(entry.getKey()) + ": " + repr(entry.getValue()))
          .collect(Collectors.joining(", ", "{", "}"));
    }
    throw new TemplateException("text of %s is not supported".formatted(Python.kind(value)));
  }

  private static String quoted(String text) {
    char quote = text.contains("'") && !text.contains("\"") ? '"' : '\'';
    StringBuilder quoted = new StringBuilder().append(quote);
    text.codePoints()
        .forEach(
            sign -> {
              if (sign == quote || sign == '\\') {
                quoted.append('\\').appendCodePoint(sign);
              } else if ("\n\r\t".indexOf(sign) >= 0) {
                quoted.append('\\').append("nrt".charAt("\n\r\t".indexOf(sign)));
              } else if (isPrintable(sign)) {
                quoted.appendCodePoint(sign);
              } else {
                quoted.append(
                    (sign < 0x100 ? "\\x%02x" : sign < 0x10000 ? "\\u%04x" : "\\U%08x")
                        .formatted(sign));
              }
            });
    return quoted.append(quote).toString();
  }

  private static boolean isPrintable(int sign) {
    return switch (Character.getType(sign)) {
      case Character.UNASSIGNED ->
          throw new TemplateException("U+%04X is not known".formatted(sign));
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> sign == ' ';
      default -> true;
    };
  }

  /** The fewest digits that give the number back, in Python's spelling. */
  static String decimal(double number) {
    if (!Double.isFinite(number)) {
      throw new TemplateException("text of %s is not supported".formatted(number));
    } else if (number == 0) {
      return 1 / number < 0 ? "-0.0" : "0.0";
    }
    BigDecimal exact = new BigDecimal(number);
    BigDecimal shortest = exact;
    for (int digits = 1; digits <= 17; digits++) {
      shortest = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
      if (shortest.doubleValue() == number) {
        break;
      }
    }
    shortest = shortest.stripTrailingZeros();
    int exponent = shortest.precision() - shortest.scale() - 1;
    if (exponent >= -4 && exponent < 16) {
      String plain = shortest.toPlainString();
      return plain.contains(".") ? plain : plain + ".0";
    }
    String digits = shortest.unscaledValue().abs().toString();
    return "%s%s%se%s%02d"
        .formatted(
            number < 0 ? "-" : "",
            digits.charAt(0),
            digits.length() > 1 ? "." + digits.substring(1) : "",
            exponent < 0 ? "-" : "+",
            Math.abs(exponent));
  }

  static boolean isSpace(int sign) {
    return Character.isWhitespace(sign) || Character.isSpaceChar(sign) || sign == 0x85;
  }

  static String stripStart(String text) {
    int start = 0;
    while (start < text.length() && isSpace(text.charAt(start))) {
      start++;
    }
    return text.substring(start);
  }

  static String stripEnd(String text) {
    int end = text.length();
    while (end > 0 && isSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end);
  }
}
