package io.moneonnx.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MemoryLimitTest {
  @Test
  void readsWholeMebibytesAndGibibytes() {
    assertThat(MemoryLimit.parse("8GiB")).isEqualTo(new MemoryLimit(8L << 30, true));
    assertThat(MemoryLimit.parse("512MiB")).isEqualTo(new MemoryLimit(512L << 20, true));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "8", "8GB", "8G", "0GiB", "-1GiB", "1.5GiB", "8 GiB", "8gib"})
  void refusesAllElse(String text) {
    assertThatThrownBy(() -> MemoryLimit.parse(text))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("found '" + text + "', expected a whole number of MiB or GiB");
  }

  @Test
  void saysWhereTheWeightsAloneAreMore() {
    MemoryLimit limit = new MemoryLimit(100, true);
    RunOptions options = new RunOptions(new Device.Cpu(), 1, limit, notice -> {});

    assertThatThrownBy(() -> options.fitting(Spelling.GATHERED.of(4, 2, 8).model()))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("the weights of the model alone are");
  }

  @Test
  void changesOnlyModelsThatCopyWeightsForEachSlot() {
    List<String> said = new ArrayList<>();
    MemoryLimit limit = new MemoryLimit(1 << 20, false);
    RunOptions options = new RunOptions(new Device.Cpu(), 1, limit, said::add);
    Model loop = Spelling.DYNAMO.of(4, 2, 8).model();
    Model gathered = Spelling.GATHERED.of(4, 2, 8).model();

    assertThat(options.fitting(loop)).isEqualTo(loop);
    assertThat(said).isEmpty();
    assertThat(options.fitting(gathered)).isNotEqualTo(gathered);
    assertThat(said)
        .singleElement()
        .asString()
        .startsWith("blocks that copy weights for each slot: 1;");
  }

  @Test
  void tellsOfABreachOnlyWhereTheUserSetTheLimit() {
    assertThat(MemoryLimit.parse("1GiB").breach(3L << 29))
        .hasValueSatisfying(
            said -> assertThat(said).contains("memory in use passed --memory 1,024 MiB"));
    assertThat(MemoryLimit.parse("1GiB").breach(1L << 29)).isEmpty();
    assertThat(new MemoryLimit(1, false).breach(2)).isEmpty();
  }
}
