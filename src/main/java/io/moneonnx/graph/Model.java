package io.moneonnx.graph;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A graph and what the file says around it.
 *
 * @param opsets operator set versions by domain; ONNX's own domain is the empty name
 * @param metadata the model's key-value properties
 * @param functions operators that the model brings along
 */
public record Model(
    Graph graph,
    long irVersion,
    Map<String, Long> opsets,
    Map<String, String> metadata,
    List<Function> functions,
    UnknownFields rest) {
  public Model {
    functions = List.copyOf(functions);
    opsets = Collections.unmodifiableMap(new LinkedHashMap<>(opsets));
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
  }

  public Model(
      Graph graph,
      long irVersion,
      Map<String, Long> opsets,
      Map<String, String> metadata,
      UnknownFields rest) {
    this(graph, irVersion, opsets, metadata, List.of(), rest);
  }

  /** The version of ONNX's own operator set. */
  public int opset() {
    return Math.toIntExact(opsets.getOrDefault("", 1L));
  }

  /** Every tensor that the model holds, those of its functions included. */
  public Stream<Tensor> tensors() {
    return Stream.concat(
        graph.tensors(),
        functions.stream().flatMap(function -> function.nodes().stream()).flatMap(Node::tensors));
  }

  /** The files that tensors' bytes lie in, each once: the model's own, data files, or none. */
  public Stream<Path> sources() {
    return tensors()
        .map(tensor -> tensor instanceof ColumnCut cut ? cut.whole() : tensor)
        .flatMap(
            tensor ->
                tensor instanceof Tensor.External external
                    ? external.ranges().stream().map(FileRange::file)
                    : Stream.of())
        .distinct();
  }

  public Model withGraph(Graph changed) {
    return new Model(changed, irVersion, opsets, metadata, functions, rest);
  }

  public Model withOpsets(Map<String, Long> changed) {
    return new Model(graph, irVersion, changed, metadata, functions, rest);
  }

  public Model withFunctions(List<Function> changed) {
    return new Model(graph, irVersion, opsets, metadata, changed, rest);
  }

  public Model withMetadata(String key, String value) {
    Map<String, String> changed = new LinkedHashMap<>(metadata);
    changed.put(key, value);
    return withMetadata(changed);
  }

  public Model withMetadata(Map<String, String> changed) {
    return new Model(graph, irVersion, opsets, changed, functions, rest);
  }
}
