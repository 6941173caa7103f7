package io.moneonnx.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.RealExports;
import io.moneonnx.data.KeyValueCache;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.data.TokenPair;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Value;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Graphs with a cache, as exporters write them, give after a cached context what they give whole.
 */
class CachedExportsTest {
  private static final int VOCABULARY = 256;

  private final List<String> notices = new ArrayList<>();

  static List<Path> directories() throws IOException {
    return RealExports.directories();
  }

  private static List<Long> tokens(Random random, int count) {
    return random.longs(count, 0, VOCABULARY).boxed().toList();
  }

  /** Contexts shorter than the window of an attention, and longer. */
  private static List<List<TokenPair>> items() {
    Random random = new Random(3);
    return Stream.of(4, 20, 70)
        .map(
            length -> {
              List<Long> context = tokens(random, length);
              return Stream.of(2, 5, 9)
                  .map(choice -> new TokenPair(context, tokens(random, choice)))
                  .toList();
            })
        .toList();
  }

  private Map<TokenPair, Double> score(Model model, Path folder) {
    try (Likelihoods likelihoods =
        Likelihoods.open(
            model,
            folder,
            new NextToken("input_ids", "logits"),
            OptionalInt.of(1),
            new RunOptions(new Device.Cpu(), 0, notices::add))) {
      return likelihoods.of(items());
    }
  }

  private static Model withoutCache(Model model) {
    List<Value> logits =
        model.graph().outputs().stream().filter(out -> out.name().equals("logits")).toList();
    return model.withGraph(model.graph().withOutputs(logits));
  }

  @ParameterizedTest
  @MethodSource("directories")
  void choicesAfterACachedContextAreAsLikelyAsWholeSequences(Path folder) {
    Model model = OnnxReader.read(new ModelFolder(folder).model(file -> false));
    assertThat(KeyValueCache.of(model.graph())).isPresent();

    Map<TokenPair, Double> cached = score(model, folder);

    assertThat(notices).as("the cache was not given up").isEmpty();
    Map<TokenPair, Double> whole = score(withoutCache(model), folder);
    whole.forEach(
        (pair, likelihood) -> assertThat(cached.get(pair)).isCloseTo(likelihood, within(0.05)));
  }
}
