package io.moneonnx.io;

import com.google.protobuf.InvalidProtocolBufferException;
import io.moneonnx.proto.onnx.AttributeProto;
import io.moneonnx.proto.onnx.GraphProto;
import io.moneonnx.proto.onnx.ModelProto;
import io.moneonnx.proto.onnx.NodeProto;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The data files that a model file names, read without making a graph of it. */
final class DataLocations {
  private static final String LOCATION = "location";

  private final Set<String> names = new LinkedHashSet<>();

  private DataLocations() {}

  /**
   * Real paths of the files that are or would be there; none where the file is no model.
   *
   * @throws IOException if the file cannot be read
   */
  static Set<Path> of(Path file) throws IOException {
    Set<Path> found = new LinkedHashSet<>();
    for (String name : names(file)) {
      Optional<Path> path = beside(file, name);
      if (path.isPresent()) {
        found.add(real(path.get()));
      }
    }
    return found;
  }

  /** Where links lead to a file, or would if it were there. */
  static Path real(Path file) throws IOException {
    if (Files.exists(file)) {
      return file.toRealPath();
    }
    Path path = file.toAbsolutePath().normalize();
    return Files.exists(path.getParent())
        ? path.getParent().toRealPath().resolve(path.getFileName())
        : path;
  }

  private static Optional<Path> beside(Path file, String name) {
    try {
      return Optional.of(file.toAbsolutePath().resolveSibling(name))
          .filter(path -> !name.isEmpty());
    } catch (InvalidPathException e) {
      return Optional.empty(); // such a file cannot be
    }
  }

  private static Set<String> names(Path file) throws IOException {
    DataLocations locations = new DataLocations();
    try {
      ModelProto model = ModelScan.scan(file).model();
      locations.addGraph(model.getGraph());
      model.getFunctionsList().forEach(function -> locations.addNodes(function.getNodeList()));
    } catch (InvalidProtocolBufferException e) {
      return Set.of();
    }
    return locations.names;
  }

  private void addGraph(GraphProto graph) {
    graph.getInitializerList().forEach(this::addTensor);
    addNodes(graph.getNodeList());
  }

  private void addNodes(List<NodeProto> nodes) {
    nodes.forEach(node -> node.getAttributeList().forEach(this::addAttribute));
  }

  private void addAttribute(AttributeProto attribute) {
    addTensor(attribute.getT());
    attribute.getTensorsList().forEach(this::addTensor);
    attribute.getGraphsList().forEach(this::addGraph);
    if (attribute.hasG()) {
      addGraph(attribute.getG());
    }
  }

  private void addTensor(TensorProto tensor) {
    tensor.getExternalDataList().stream()
        .filter(entry -> entry.getKey().equals(LOCATION))
        .forEach(entry -> names.add(entry.getValue()));
  }
}
