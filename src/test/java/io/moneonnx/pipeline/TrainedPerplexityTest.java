package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataSource;
import io.moneonnx.data.PassageOptions;
import io.moneonnx.eval.Perplexity;
import io.moneonnx.run.RunOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The perplexity of trained models is what PyTorch measured when they were made. */
final class TrainedPerplexityTest {
  /** 1e-4 relative, the bound that was set; what is left is how float32 rounds. */
  private static final double PERCENT = 0.01;

  @ParameterizedTest
  @CsvSource({"olmoe, loop", "olmoe, stacked", "qwen3, loop", "qwen3, stacked"})
  void isThatOfTheReference(String model, String export) throws IOException {
    String trained = System.getProperty("trained", "");
    assumeFalse(trained.isEmpty(), "no trained models given");
    Path folder = Path.of(trained, model);

    Map<String, Perplexity> found =
        new MeasurePerplexity(RunOptions.cpu(), new Silence())
            .run(request(folder.resolve(export + ".onnx"), folder.resolveSibling("tokens")))
            .sources();

    for (String domain : List.of("A", "B")) {
      double loss = Double.parseDouble(base(folder.resolve("results.csv"), "nll_" + domain));
      assertThat(found.get(domain).tokens()).isEqualTo(24 * 255);
      assertThat(found.get(domain).perToken()).isCloseTo(Math.exp(loss), withinPercentage(PERCENT));
    }
  }

  private static MeasurePerplexity.Request request(Path model, Path tokens) {
    List<DataSource> data =
        Stream.of("A", "B")
            .map(tag -> new DataSource(Optional.of(tag), tokens.resolve(tag + ".test24.npz")))
            .toList();
    return new MeasurePerplexity.Request(
        model,
        data,
        new PassageOptions(CalibrationOptions.DEFAULT, OptionalInt.empty(), Optional.empty()));
  }

  /** A column of the row of the model as it is. */
  private static String base(Path csv, String column) throws IOException {
    List<String> lines = Files.readAllLines(csv);
    int place = Arrays.asList(lines.get(0).split(",")).indexOf(column);
    String row = lines.stream().filter(line -> line.contains("base,")).findFirst().orElseThrow();
    return Arrays.asList(row.split(",")).get(place);
  }
}
