package io.moneonnx.io;

import com.google.protobuf.InvalidProtocolBufferException;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
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
   * Real paths of the files that are or would be there; none where there is no model.
   *
   * @throws BadInputException if the file cannot be read
   */
  static Set<Path> of(Path file) {
    Set<Path> found = new LinkedHashSet<>();
    for (String name : Files.isRegularFile(file) ? names(file) : Set.<String>of()) {
      beside(file, name).map(DataLocations::real).ifPresent(found::add);
    }
    return found;
  }

  /**
   * Where links lead to a file, or would if it were there.
   *
   * @throws BadInputException if that cannot be told
   */
  static Path real(Path file) {
    try {
      if (Files.exists(file)) {
        return file.toRealPath();
      }
      Path path = file.toAbsolutePath().normalize();
      return Files.exists(path.getParent())
          ? path.getParent().toRealPath().resolve(path.getFileName())
          : path;
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static BadInputException unreadable(Path file, IOException e) {
    return new BadInputException(file + ": cannot be read: " + Reason.of(e), e);
  }

  private static Optional<Path> beside(Path file, String name) {
    try {
      return Optional.of(file.toAbsolutePath().resolveSibling(name))
          .filter(path -> !name.isEmpty());
    } catch (InvalidPathException e) {
      return Optional.empty(); // such a file cannot be
    }
  }

  private static Set<String> names(Path file) {
    DataLocations locations = new DataLocations();
    try {
      ModelProto model = ModelScan.scan(file).model();
      locations.addGraph(model.getGraph());
      model.getFunctionsList().forEach(function -> locations.addNodes(function.getNodeList()));
    } catch (InvalidProtocolBufferException e) {
      return Set.of();
    } catch (IOException e) {
      throw unreadable(file, e);
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
