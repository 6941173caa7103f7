package io.moneonnx;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.ValueTypes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What ONNX Runtime's CUDA provider has kernels for. A node of which it has none runs on the CPU,
 * and everything it reads and makes is copied between the two.
 */
public final class CudaKernels {
  private static final Path TABLE = Path.of("test-data", "cuda-kernels.tsv");
  private static final String ADDED = "mone.";
  private static final Map<String, Set<String>> TYPES = table();

  private CudaKernels() {}

  private static Map<String, Set<String>> table() {
    try {
      return Files.readAllLines(TABLE).stream()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split("\t", -1))
          .collect(
              Collectors.toUnmodifiableMap(row -> row[0], row -> Set.of(row[1].split(" ", -1))));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What this program added to a model and CUDA has no kernel for: operators and their types. */
  public static List<String> missing(Model model) {
    return missing(model.graph()).distinct().toList();
  }

  private static Stream<String> missing(Graph graph) {
    ValueTypes types = new ValueTypes(graph);
    Stream<String> nested =
        graph.nodes().stream()
            .flatMap(node -> node.subgraphs().stream())
            .flatMap(CudaKernels::missing);
    Stream<String> own =
        graph.nodes().stream()
            .filter(node -> node.output().startsWith(ADDED) && node.domain().isEmpty())
            .filter(node -> !node.is("Constant")) // loaded as an initializer
            .filter(node -> !isThere(node, types))
            .map(
                node ->
                    node.opType() + type(node, types).map(type -> " of " + type.text()).orElse(""));
    return Stream.concat(own, nested);
  }

  private static boolean isThere(Node node, ValueTypes types) {
    Optional<ElementType> type = type(node, types);
    Set<String> taken = TYPES.getOrDefault(node.opType(), Set.of());
    return type.isEmpty() ? !taken.isEmpty() : taken.contains(type.get().text());
  }

  private static Optional<ElementType> type(Node node, ValueTypes types) {
    return switch (node.opType()) {
      case "ConstantOfShape" -> types.of(node.output());
      case "Where" -> types.of(node.input(1));
      case "OneHot" -> types.of(node.input(2));
      default -> types.of(node.input(0));
    };
  }
}
