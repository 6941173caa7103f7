package io.moneonnx.profile;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

final class StatisticTest {
  @Test
  void theDocumentationHasTheTable() throws IOException {
    List<String> rows = Arrays.stream(Statistic.values()).map(StatisticTest::row).toList();

    assertThat(Files.readString(Path.of("docs/profiles.md"))).contains(String.join("\n", rows));
  }

  private static String row(Statistic statistic) {
    return "| `%s` | %s | `%s` | %s | %s | `%s` |"
        .formatted(
            statistic.symbol(),
            statistic.type().dtype(),
            switch (statistic.shape()) {
              case BLOCK -> "[]";
              case EXPERT -> "[E]";
              case COORDINATE -> "[E, H]";
              case PAIR -> "[E, E]";
              case NEURON -> "[E, I]";
              case NEURON_PAIR -> "[E, I (I + 1) / 2]";
            },
            statistic.merge().name().toLowerCase(Locale.ROOT),
            statistic.weight().map(weight -> "`" + weight.symbol() + "`").orElse("always"),
            statistic.formula().replace("|", "\\|"));
  }
}
