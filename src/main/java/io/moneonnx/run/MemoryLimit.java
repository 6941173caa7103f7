package io.moneonnx.run;

import com.sun.management.OperatingSystemMXBean;
import io.moneonnx.graph.BadInputException;
import java.lang.management.ManagementFactory;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How much memory runs may take.
 *
 * @param bytes in all
 * @param isGiven whether the user said so; otherwise a model that needs more is tried all the same
 */
public record MemoryLimit(long bytes, boolean isGiven) {
  private static final Pattern SYNTAX = Pattern.compile("([1-9]\\d{0,8})(MiB|GiB)");

  /**
   * Copies of weights may take this part: the runtime keeps more than one, and has more to hold.
   */
  private static final int COPIES = 4;

  /** None at all. */
  public static final MemoryLimit NONE = new MemoryLimit(Long.MAX_VALUE, false);

  /** Half of what the machine has. */
  public static MemoryLimit half() {
    OperatingSystemMXBean machine =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return new MemoryLimit(machine.getTotalMemorySize() / 2, false);
  }

  /** Reads {@code 8GiB} or {@code 512MiB}. */
  public static MemoryLimit parse(String text) {
    Matcher matcher = SYNTAX.matcher(text);
    if (!matcher.matches()) {
      throw new BadInputException(
          "--memory: found '%s', expected a whole number of MiB or GiB, such as 8GiB or 512MiB"
              .formatted(text));
    }
    int shift = matcher.group(2).equals("GiB") ? 30 : 20;
    return new MemoryLimit(Long.parseLong(matcher.group(1)) << shift, true);
  }

  /** What copies of weights may take, in bytes. */
  long copies() {
    return bytes / COPIES;
  }

  /**
   * Checks that a model's weights fit in.
   *
   * @throws BadInputException if the user's limit is less
   */
  void require(String model, long weights) {
    if (isGiven && weights > bytes) {
      throw new BadInputException(
          "--memory %s: the weights of %s alone are %s".formatted(this, model, text(weights)));
    }
  }

  /**
   * What to tell a user whose limit was passed all the same; empty if it was not.
   *
   * @param peak the most memory that was in use, in bytes
   */
  Optional<String> breach(long peak) {
    return isGiven && peak > bytes
        ? Optional.of(
            "memory in use passed --memory %s: only copies of weights are bounded".formatted(this))
        : Optional.empty();
  }

  private static String text(long bytes) {
    return bytes < 10L << 30 ? "%,d MiB".formatted(bytes >> 20) : "%,d GiB".formatted(bytes >> 30);
  }

  @Override
  public String toString() {
    return text(bytes);
  }
}
