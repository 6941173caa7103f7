package io.moneonnx.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.onnx.AttributeProto;
import io.moneonnx.proto.onnx.AttributeProto.AttributeType;
import io.moneonnx.proto.onnx.GraphProto;
import io.moneonnx.proto.onnx.ModelProto;
import io.moneonnx.proto.onnx.SparseTensorProto;
import io.moneonnx.proto.onnx.TensorProto;
import io.moneonnx.proto.onnx.TensorProto.DataType;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparseTensorsTest {
  @TempDir private Path folder;

  /** Values 1 and 2 at these indices of a tensor. */
  private static SparseTensorProto.Builder sparse(TensorProto.Builder indices, long... dims) {
    SparseTensorProto.Builder sparse =
        SparseTensorProto.newBuilder()
            .setValues(Given.tensor(DataType.FLOAT, 2).addFloatData(1).addFloatData(2).setName("w"))
            .setIndices(indices);
    for (long dim : dims) {
      sparse.addDims(dim);
    }
    return sparse;
  }

  private static TensorProto.Builder indices(List<Long> indices, long... dims) {
    return Given.tensor(DataType.INT64, dims).addAllInt64Data(indices);
  }

  /** {@code y = Identity (w)}, where {@code w} is sparse. */
  private static ModelProto.Builder holding(SparseTensorProto.Builder w) {
    ModelProto.Builder model = Given.message(Given.tensor(DataType.FLOAT, 0));
    model.getGraphBuilder().clearInitializer().addSparseInitializer(w);
    return model;
  }

  private Model read(ModelProto.Builder model) throws IOException {
    return OnnxReader.read(Given.file(folder, model));
  }

  private static void is(Model model, float... values) {
    Tensor tensor = Canonical.of(model).graph().constant("y").orElseThrow();
    assertThat(tensor.toFloats()).containsExactly(values);
    try (Session session = Session.open("sparse", model, Path.of(""), RunOptions.cpu())) {
      assertThat(session.run(Map.of(), List.of("y")).get("y").toFloats()).containsExactly(values);
    }
  }

  @Test
  void initializersAreDense() throws IOException {
    is(read(holding(sparse(indices(List.of(1L, 4L), 2), 2, 3))), 0, 1, 0, 0, 2, 0);
    is(read(holding(sparse(indices(List.of(0L, 1L, 1L, 0L), 2, 2), 2, 2))), 0, 1, 2, 0);
    is(read(holding(sparse(indices(List.of(2L, 0L), 2, 1), 3))), 2, 0, 1);
  }

  @Test
  void constantsAreDense() throws IOException {
    ModelProto.Builder model = Given.message(Given.tensor(DataType.FLOAT, 0));
    GraphProto.Builder graph = model.getGraphBuilder().clearInitializer();
    graph
        .addNodeBuilder(0)
        .setOpType("Constant")
        .addOutput("w")
        .addAttribute(
            AttributeProto.newBuilder()
                .setName("sparse_value")
                .setType(AttributeType.SPARSE_TENSOR)
                .setSparseTensor(sparse(indices(List.of(0L, 3L), 2), 4)));

    is(read(model), 1, 0, 0, 2);
  }

  private void refuses(SparseTensorProto.Builder w, String reason) {
    assertThatThrownBy(() -> read(holding(w)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("initializer 'w'")
        .hasMessageContaining(reason);
  }

  @Test
  void largeOnesAreRefused() {
    refuses(
        sparse(indices(List.of(1L, 4L), 2), 1 << 20, 17),
        "is sparse, and float[1048576, 17] has 71,303,168 bytes when dense; expected at most 67,108,864");
    refuses(sparse(indices(List.of(1L, 4L), 2), Long.MAX_VALUE, 17), "no file holds the shape");
  }

  @Test
  void contradictionsAreRefused() {
    refuses(sparse(indices(List.of(1L, 6L), 2), 2, 3), "is sparse, with an index 6 of 6");
    refuses(sparse(indices(List.of(0L, 1L, -1L, 0L), 2, 2), 2, 2), "with an index -1 of 2");
    refuses(
        sparse(indices(List.of(1L), 1), 2, 3), "with indices int64[1] of 2 values in the shape");
    refuses(sparse(indices(List.of(0L, 0L), 2), 1), "of 2 values in the shape [1]");
  }

  @Test
  void typesOfLessThanAByteAreRefused() {
    SparseTensorProto.Builder w = sparse(indices(List.of(1L, 3L), 2), 4);
    w.setValues(Given.tensor(DataType.INT4, 2).addInt32Data(0x21).setName("w"));
    refuses(w, "is sparse, of type int4; expected whole bytes");
  }
}
