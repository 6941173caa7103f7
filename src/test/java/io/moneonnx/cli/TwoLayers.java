package io.moneonnx.cli;

import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The first two of the four layers of {@link Cli#OLMOE}, with the same files beside it: for tests
 * of what commands do around a model, whose outputs need not be good.
 */
final class TwoLayers {
  static final Path MODEL = made();

  private TwoLayers() {}

  private static Path made() {
    try {
      Path folder = Files.createTempDirectory("two-layers");
      folder.toFile().deleteOnExit();
      for (String beside : Cli.names(Cli.OLMOE.getParent())) {
        Files.copy(Cli.OLMOE.resolveSibling(beside), folder.resolve(beside));
        folder.resolve(beside).toFile().deleteOnExit();
      }
      Path model = folder.resolve(Cli.OLMOE.getFileName());
      Files.delete(model);
      OnnxWriter.write(firstTwo(OnnxReader.read(Cli.OLMOE)), model, Placement.INLINE);
      return model;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The model whose last normalisation reads what the second layer makes. */
  private static Model firstTwo(Model model) {
    Graph graph = model.graph();
    List<Node> nodes =
        graph.nodes().stream()
            .map(
                node ->
                    node.inputs().equals(List.of("/layers.3/Add_1_output_0"))
                        ? node.withInputs(List.of("/layers.1/Add_1_output_0"))
                        : node)
            .toList();
    return model.withGraph(DeadCode.remove(graph.withNodes(nodes)));
  }
}
