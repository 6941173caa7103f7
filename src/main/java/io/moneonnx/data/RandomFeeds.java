package io.moneonnx.data;

import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.DoubleStream;

/**
 * Random inputs of any size, to prove two models alike; never to calibrate on. Tokens are uniform,
 * floating inputs standard normal.
 */
public final class RandomFeeds {
  private final ModelInputs inputs;
  private final Map<String, Long> bounds;

  private RandomFeeds(ModelInputs inputs, Map<String, Long> bounds) {
    this.inputs = inputs;
    this.bounds = bounds;
  }

  /**
   * Random inputs for a model. Integers stay within the vocabulary, or else within what {@code
   * seen} holds.
   *
   * @param seen feeds that the model is known to take
   * @return empty if no valid input can be made up: an integer input without a bound, or a type or
   *     shape that is not declared
   */
  public static Optional<RandomFeeds> of(Graph graph, List<Map<String, Tensor>> seen) {
    ModelInputs inputs = ModelInputs.of(graph);
    Map<String, Long> bounds = new LinkedHashMap<>();
    for (Value input : inputs.wanted()) {
      if (input.type().isEmpty() || input.shape().isEmpty()) {
        return Optional.empty();
      }
      if (!input.type().get().isFloating()) {
        OptionalLong bound = bound(input, inputs, seen);
        if (bound.isEmpty()) {
          return Optional.empty();
        }
        bounds.put(input.name(), bound.getAsLong());
      }
    }
    return Optional.of(new RandomFeeds(inputs, bounds));
  }

  /** Values of this input are below the bound. */
  private static OptionalLong bound(
      Value input, ModelInputs inputs, List<Map<String, Tensor>> seen) {
    if (inputs.vocabulary().isPresent() && inputs.tokens().equals(Optional.of(input))) {
      return inputs.vocabulary();
    }
    return switch (input.type().orElseThrow()) {
      case BOOL -> OptionalLong.of(2);
      case INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32 ->
          seen.stream()
              .filter(feeds -> feeds.containsKey(input.name()))
              .flatMapToLong(feeds -> Arrays.stream(feeds.get(input.name()).toLongs()))
              .max()
              .stream()
              .map(largest -> largest + 1)
              .filter(bound -> bound > 0)
              .findFirst();
      default -> OptionalLong.empty();
    };
  }

  /**
   * Feeds for one run. The leading dimension of each input is the batch, any other that has no
   * fixed size the sequence; fixed dimensions stay.
   */
  public Map<String, Tensor> make(int batch, int sequence, long seed) {
    Random random = new Random(seed);
    Map<String, Tensor> feeds = new LinkedHashMap<>();
    for (Value input : inputs.wanted()) {
      feeds.put(input.name(), make(input, dims(input, batch, sequence), random));
    }
    return new FeedFiller(inputs).fill(feeds);
  }

  private static List<Long> dims(Value input, int batch, int sequence) {
    List<Long> dims = new ArrayList<>();
    for (Dimension dimension : input.shape().orElseThrow()) {
      long open = dims.isEmpty() ? batch : sequence;
      dims.add(dimension.isFixed() ? dimension.size() : open);
    }
    return dims;
  }

  private Tensor make(Value input, List<Long> dims, Random random) {
    ElementType type = input.type().orElseThrow();
    long count = Tensor.elements(dims);
    return type.isFloating()
        ? Elements.ofDoubles(
            type, dims, DoubleStream.generate(random::nextGaussian).limit(count).toArray())
        : Elements.ofLongs(type, dims, random.longs(count, 0, bounds.get(input.name())).toArray());
  }
}
