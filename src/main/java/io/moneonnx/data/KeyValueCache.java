package io.moneonnx.data;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which outputs of a graph hold the keys and values that a later run takes as its pasts. They are
 * told by what the graph makes of a past, or by their names, {@code past_key_values.0.key} and
 * {@code present.0.key}; whether that is so is for those to prove who use it.
 *
 * @param presents by name of input the output
 */
public record KeyValueCache(Map<String, String> presents) {
  private static final String PAST = "past_key_values";
  private static final List<String> PRESENT = List.of("present", "present_key_values");

  public KeyValueCache {
    presents = Map.copyOf(presents);
  }

  /** Empty where the graph takes no pasts, or does not give all of them back, or fixes a length. */
  public static Optional<KeyValueCache> of(Graph graph) {
    List<String> outputs = graph.outputs().stream().map(Value::name).toList();
    ModelInputs inputs = ModelInputs.of(graph);
    EmptyPasts pasts = new EmptyPasts(inputs);
    Map<String, String> presents = new LinkedHashMap<>();
    for (Value input : graph.feeds()) {
      if (pasts.contain(input)) {
        Optional<String> present =
            Optional.ofNullable(inputs.growing().get(input.name()))
                .map(GrowingPast::present)
                .or(() -> present(input.name(), outputs));
        if (present.isEmpty() || !isOpen(input)) {
          return Optional.empty();
        }
        presents.put(input.name(), present.get());
      }
    }
    return presents.isEmpty() ? Optional.empty() : Optional.of(new KeyValueCache(presents));
  }

  private static Optional<String> present(String past, List<String> outputs) {
    return PRESENT.stream()
        .map(name -> past.replaceFirst("^" + PAST, name))
        .filter(name -> !name.equals(past) && outputs.contains(name))
        .findFirst();
  }

  /** The batch, and the length of the past, may be any. */
  private static boolean isOpen(Value past) {
    return past.shape()
        .filter(shape -> shape.size() == 4 && !shape.get(0).isFixed() && !shape.get(2).isFixed())
        .isPresent();
  }

  /**
   * What one sequence left behind, as pasts of {@code batch} sequences that go on from it.
   *
   * @param results of a run, by name of output
   */
  public Map<String, Tensor> pasts(Map<String, Tensor> results, int batch) {
    Map<String, Tensor> pasts = new LinkedHashMap<>();
    presents.forEach((past, present) -> pasts.put(past, repeated(results.get(present), batch)));
    return pasts;
  }

  private static Tensor repeated(Tensor one, int times) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(Math.multiplyExact(times, (int) one.byteSize()));
    for (int i = 0; i < times; i++) {
      bytes.put(one.bytes());
    }
    List<Long> dims = new ArrayList<>(one.dims());
    dims.set(0, (long) times);
    return new Tensor.Inline(one.type(), dims, bytes.flip());
  }
}
