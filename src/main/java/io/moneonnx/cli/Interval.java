package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How often something is done, as options say it. */
final class Interval {
  private static final Pattern TIME = Pattern.compile("(\\d{1,9})(ms|s|m|h)");

  private Interval() {}

  /** Reads {@code 500ms}, {@code 60s}, {@code 5m} or {@code 1h}; {@code 0} and off are never. */
  static Optional<Duration> parse(String option, String text) {
    if (text.equals("off") || text.equals("0")) {
      return Optional.empty();
    }
    Matcher time = TIME.matcher(text);
    if (!time.matches()) {
      throw new BadInputException(
          "%s: found '%s', expected a time such as 500ms, 60s, 5m or 1h, or off"
              .formatted(option, text));
    }
    long count = Long.parseLong(time.group(1));
    Duration interval =
        switch (time.group(2)) {
          case "ms" -> Duration.ofMillis(count);
          case "s" -> Duration.ofSeconds(count);
          case "m" -> Duration.ofMinutes(count);
          default -> Duration.ofHours(count);
        };
    return interval.isZero() ? Optional.empty() : Optional.of(interval);
  }
}
