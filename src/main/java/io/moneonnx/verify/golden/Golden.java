package io.moneonnx.verify.golden;

import io.moneonnx.data.Batch;
import io.moneonnx.graph.ElementType;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a model put out in a few runs, and what it was fed.
 *
 * @param origin facts for people, by name: which model, which machine; nothing is decided by them
 * @param tokens the input that has an axis of sequences and one of positions, if there is one
 * @param outputs those that are held against later runs, in graph order
 * @param routers those whose choices are, in graph order
 */
public record Golden(
    Map<String, String> origin,
    Optional<String> tokens,
    List<Output> outputs,
    List<Router> routers,
    List<Run> runs) {
  public Golden {
    origin = Collections.unmodifiableMap(new LinkedHashMap<>(origin));
    outputs = List.copyOf(outputs);
    routers = List.copyOf(routers);
    runs = List.copyOf(runs);
  }

  /**
   * An output.
   *
   * @param precision the coarsest floating type on the way to it; empty if there is none
   */
  public record Output(String name, Optional<ElementType> precision) {}

  /**
   * A router.
   *
   * @param name of its block, for messages
   * @param precision the coarsest floating type on the way to its scores
   */
  public record Router(String name, int experts, int topK, Optional<ElementType> precision) {}

  /**
   * One run.
   *
   * @param sketches in the order of the outputs
   * @param choices in the order of the routers: for each position a hash of the ids chosen there;
   *     empty for a router that does not choose once for each position
   */
  public record Run(Batch fed, List<Sketch> sketches, List<int[]> choices) {
    public Run {
      sketches = List.copyOf(sketches);
      choices = List.copyOf(choices);
    }
  }
}
