package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * As many experts as bring the file to a size, and no more.
 *
 * @param text as the user wrote it
 */
public record TargetSize(long bytes, String text) implements Amount {
  private static final Pattern SYNTAX = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([A-Za-z]*)");
  private static final Map<String, Long> UNITS =
      Map.of(
          "", 1L,
          "b", 1L,
          "kb", 1_000L,
          "mb", 1_000_000L,
          "gb", 1_000_000_000L,
          "tb", 1_000_000_000_000L,
          "kib", 1L << 10,
          "mib", 1L << 20,
          "gib", 1L << 30,
          "tib", 1L << 40);

  /** Reads {@code 3.5GiB}, {@code 500MB}, or bytes. */
  public static TargetSize parse(String text) {
    Matcher matcher = SYNTAX.matcher(text.strip());
    if (matcher.matches()) {
      Long unit = UNITS.get(matcher.group(2).toLowerCase(Locale.ROOT));
      BigDecimal number = new BigDecimal(matcher.group(1));
      if (unit != null && number.precision() - number.scale() < 15) {
        long bytes = number.multiply(BigDecimal.valueOf(unit)).longValue();
        if (bytes > 0) {
          return new TargetSize(bytes, text.strip());
        }
      }
    }
    throw new BadInputException(
        "target-size: found '%s', expected a size such as 3.5GiB, 500MB or 3758096384"
            .formatted(text));
  }

  @Override
  public Selection from(Candidates candidates, Scope scope) {
    PruningOrder supply = scope.supply(candidates);
    if (candidates.modelBytes() <= bytes) {
      throw new BadInputException(
          "%s prunes no expert: the model has %,d bytes".formatted(this, candidates.modelBytes()));
    }
    int most = supply.most();
    long smallest = size(candidates, supply.first(most));
    if (smallest > bytes) {
      throw new BadInputException(
          "%s cannot be met: without all experts that can go (%d of %d) the file has up to %,d bytes"
              .formatted(this, supply.first(most).count(), experts(candidates), smallest));
    }
    int few = 0;
    int enough = most;
    while (enough - few > 1) {
      int number = few + (enough - few) / 2;
      if (size(candidates, supply.first(number)) > bytes) {
        few = number;
      } else {
        enough = number;
      }
    }
    return supply.first(enough);
  }

  @Override
  public long budget(long modelBytes, long expertBytes, long overhead) {
    long others = modelBytes - expertBytes + overhead;
    if (modelBytes <= bytes) {
      throw new BadInputException(
          "%s removes nothing: the model has %,d bytes".formatted(this, modelBytes));
    } else if (others > bytes) {
      throw new BadInputException(
          "%s cannot be met: without the experts that can be narrowed the file has up to %,d bytes"
              .formatted(this, others));
    }
    return bytes - others;
  }

  private static long size(Candidates candidates, Selection selection) {
    List<FileSize.Block> blocks =
        IntStream.range(0, selection.blocks())
            .mapToObj(
                block ->
                    new FileSize.Block(
                        candidates.blocks().get(block).evidence().header(),
                        selection.of(block).size()))
            .toList();
    return FileSize.atMost(candidates.modelBytes(), blocks);
  }

  private static int experts(Candidates candidates) {
    return candidates.blocks().stream().mapToInt(Candidates.Block::experts).sum();
  }

  @Override
  public String toString() {
    return "target-size " + text;
  }
}
