package io.moneonnx.cli;

import java.nio.file.Path;
import java.util.OptionalInt;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How the values of options are read, with messages for people who do not write Java. */
final class OptionValues {
  private OptionValues() {}

  static void register(CommandLine command) {
    command.registerConverter(Path.class, OptionValues::path);
    number(command, Integer.class, Integer::valueOf, whole(Integer.MIN_VALUE, Integer.MAX_VALUE));
    number(command, Long.class, Long::valueOf, whole(Long.MIN_VALUE, Long.MAX_VALUE));
    number(command, Double.class, Double::valueOf, "a number, such as 0.05");
    number(command, Fraction.class, Fraction::parse, "a part, such as 2% or 0.02");
  }

  /** A number that may not have been given. */
  static OptionalInt optional(Integer value) {
    return value == null ? OptionalInt.empty() : OptionalInt.of(value);
  }

  private static String whole(long least, long most) {
    return "a whole number from %d to %d".formatted(least, most);
  }

  private static <T> void number(
      CommandLine command, Class<T> type, ITypeConverter<T> reading, String wanted) {
    command.registerConverter(
        type,
        text -> {
          try {
            return reading.convert(text);
          } catch (NumberFormatException e) {
            throw new TypeConversionException("found '%s', expected %s".formatted(text, wanted));
          }
        });
  }

  private static Path path(String text) {
    if (text.isEmpty()) {
      throw new TypeConversionException("the name is empty, expected a file");
    }
    return Path.of(text);
  }
}
