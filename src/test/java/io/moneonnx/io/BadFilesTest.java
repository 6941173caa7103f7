package io.moneonnx.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.proto.onnx.AttributeProto;
import io.moneonnx.proto.onnx.AttributeProto.AttributeType;
import io.moneonnx.proto.onnx.ModelProto;
import io.moneonnx.proto.onnx.NodeProto;
import io.moneonnx.proto.onnx.TensorProto;
import io.moneonnx.proto.onnx.TensorProto.DataType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BadFilesTest {
  @TempDir private Path folder;

  @Test
  void noSuchFile() {
    assertRefused(folder.resolve("model.onnx"), "no such file");
  }

  @Test
  void folder() {
    assertRefused(folder, "is a folder");
  }

  @Test
  void emptyFile() throws IOException {
    assertRefused(Files.createFile(folder.resolve("model.onnx")), "is empty");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"Hello, world.\n", "{\"a\": 1}", "<html>", "PK\u0003\u0004", "ir_version: 8"})
  void otherFormat(String text) throws IOException {
    assertRefused(Files.writeString(folder.resolve("model.onnx"), text), "no ONNX file");
  }

  @Test
  void pointerOfGit() throws IOException {
    String pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n";
    assertRefused(Files.writeString(folder.resolve("model.onnx"), pointer), "Git LFS pointer");
  }

  @Test
  void cutAnywhere() throws IOException {
    byte[] whole = message(Given.tensor(DataType.FLOAT, 2).addFloatData(1).addFloatData(2));
    for (int length = 1; length < whole.length; length++) {
      Path file = Files.write(folder.resolve("model.onnx"), Arrays.copyOf(whole, length));
      assertRefused(file, "cut short");
    }
  }

  @Test
  void moreThanOneModel() throws IOException {
    byte[] whole = message(Given.tensor(DataType.FLOAT, 0));
    byte[] padded = Arrays.copyOf(whole, whole.length + 1);
    assertRefused(Files.write(folder.resolve("model.onnx"), padded), "no ONNX file");
  }

  private static byte[] message(TensorProto.Builder tensor) {
    return Given.message(tensor).build().toByteArray();
  }

  @Test
  void emptyGraph() throws IOException {
    ModelProto.Builder model = Given.message(Given.tensor(DataType.FLOAT, 0));
    model.getGraphBuilder().clearNode().clearOutput();
    assertRefused(Given.file(folder, model), "neither nodes nor outputs");
  }

  @Test
  void bytesThatDoNotFillTheShape() throws IOException {
    assertRefused(
        Given.tensor(DataType.FLOAT, 2, 3).addFloatData(1),
        "initializer 'w'",
        "float[2, 3] wants 24 bytes, found 4");
  }

  @Test
  void manyBytesThatDoNotFillTheShape() throws IOException {
    assertRefused(
        Given.tensor(DataType.FLOAT, 2).setRawData(ByteString.copyFrom(new byte[5000])),
        "initializer 'w'",
        "float[2] wants 8 bytes, found 5000");
  }

  @Test
  void stringsThatDoNotFillTheShape() throws IOException {
    assertRefused(Given.tensor(DataType.STRING, 2), "'w'", "wants 2 strings", "found 0");
  }

  @Test
  void constantThatDoesNotFillItsShape() throws IOException {
    ModelProto.Builder model = Given.message(Given.tensor(DataType.FLOAT, 0));
    model
        .getGraphBuilder()
        .addNode(
            NodeProto.newBuilder()
                .setOpType("Constant")
                .addOutput("c")
                .addAttribute(
                    AttributeProto.newBuilder()
                        .setName("value")
                        .setType(AttributeType.TENSOR)
                        .setT(Given.tensor(DataType.INT64, 1))));
    assertRefused(
        Given.file(folder, model),
        "node Constant -> c, attribute 'value': int64[1] wants 8 bytes, found 0");
  }

  @Test
  void shapesWithoutASize() throws IOException {
    assertRefused(Given.tensor(DataType.FLOAT, -1), "negative in the shape [-1]");
    assertRefused(Given.tensor(DataType.FLOAT, 1L << 40, 1L << 40), "no file holds the shape");
    assertRefused(Given.tensor(DataType.STRING, 1L << 40, 1L << 40), "no file holds the shape");
  }

  @Test
  void unknownElementType() throws IOException {
    assertRefused(TensorProto.newBuilder().setDataType(99), "'w'", "number 99");
  }

  @Test
  void namesGivenTwice() throws IOException {
    ModelProto.Builder model = Given.message(Given.tensor(DataType.FLOAT, 0));
    model.getGraphBuilder().addInitializer(model.getGraph().getInitializer(0));
    assertRefused(Given.file(folder, model), "initializer 'w' is given twice");
    model.getGraphBuilder().removeInitializer(1).addNode(model.getGraph().getNode(0));
    assertRefused(Given.file(folder, model), "value 'y' is made by two nodes");
    AttributeProto attribute =
        AttributeProto.newBuilder().setName("a").setType(AttributeType.INT).build();
    model.getGraphBuilder().removeNode(1).getNodeBuilder(0).addAttribute(attribute);
    model.getGraphBuilder().getNodeBuilder(0).addAttribute(attribute);
    assertRefused(Given.file(folder, model), "attribute 'a' is given twice");
  }

  @Test
  void dataFileThatIsMissing() throws IOException {
    assertRefused(Given.external(4, "location", "gone.data"), "'w'", "'gone.data' is missing");
  }

  @Test
  void dataWithoutALocation() throws IOException {
    assertRefused(Given.external(4, "offset", "0"), "'w'", "without a location");
  }

  @Test
  void dataFileThatIsTooShort() throws IOException {
    dataFile();
    assertRefused(
        Given.external(4, "location", "w.data", "offset", "8"),
        "'w'",
        "wants bytes 8 to 24 of external data 'w.data', which has only 16");
  }

  @Test
  void lengthOfNothingIsThatOfTheShape() throws IOException {
    dataFile();
    Path file =
        Given.file(folder, Given.message(Given.external(4, "location", "w.data", "length", "0")));

    assertThat(OnnxReader.read(file).graph().constant("w").orElseThrow().byteSize()).isEqualTo(16);
  }

  @Test
  void lengthThatDoesNotFitTheShape() throws IOException {
    dataFile();
    assertRefused(
        Given.external(4, "location", "w.data", "length", "12"),
        "'w'",
        "wants 16 bytes, external data 'w.data' gives it 12");
  }

  @ParameterizedTest
  @CsvSource({"offset, -1", "length, many", "offset, 99999999999999999999"})
  void numbersThatAreNone(String key, String value) throws IOException {
    dataFile();
    assertRefused(Given.external(4, "location", "w.data", key, value), "'w'", key, value);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/etc/passwd", "../w.data", "a/../../w.data", "..", "."})
  void dataOutsideOfTheFolder(String location) throws IOException {
    Path inner = Files.createDirectory(folder.resolve("inner"));
    dataFile();
    Path file = Given.file(inner, Given.message(Given.external(4, "location", location)));
    assertThatThrownBy(() -> OnnxReader.read(file))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("'w': external data '" + location + "'");
  }

  @Test
  void linkOutOfTheFolder() throws IOException {
    Path inner = Files.createDirectory(folder.resolve("inner"));
    Files.createSymbolicLink(inner.resolve("link.data"), dataFile());
    Path file = Given.file(inner, Given.message(Given.external(4, "location", "link.data")));
    assertRefused(file, "'link.data' ->", "outside the model's folder");
  }

  @Test
  void dataThatCouldNotBeMoved() throws IOException {
    ModelProto.Builder model = Given.message(Given.tensor(DataType.FLOAT, 0));
    AttributeProto.Builder attribute =
        AttributeProto.newBuilder().setName("sparse").setType(AttributeType.SPARSE_TENSOR);
    attribute.getSparseTensorBuilder().setValues(Given.external(4));
    model.getGraphBuilder().getNodeBuilder(0).addAttribute(attribute);
    assertRefused(Given.file(folder, model), "supported in initializers and constants only");
  }

  /** What no runtime would run is found here, and not by whatever reads the node later. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "y = Gather (x) | Gather has no input 1, which it must have",
        "y = MatMul (, x) | MatMul has no input 0, which it must have",
        "y = Gather (x, w) | input 1 of Gather is float, expected integers",
        "y = Reshape (x, w) | input 1 of Reshape is float, expected integers",
        "y = Transpose <perm = 1> (x) | attribute 'perm' of Transpose is int, expected ints",
        "y = Gather <axis = [0]> (x, i) | attribute 'axis' of Gather is ints, expected int",
        "y = com.microsoft.MatMulNBits <K = 8, N = 8> (x) | MatMulNBits has no input 1",
        "y = If <then_branch = b () => (float a, float c) { a = Neg (x) c = Neg (x) }> (t)"
            + " | its then_branch makes 2 values, expected 1",
        "y = Loop <body = b (int64 n, bool c) => (bool d) { d = Not (c) }> (i)"
            + " | its body makes 0 values, expected 1",
        "y = Loop <body = b (int64 n) => (bool d, float a) { d = Not (t) a = Neg (x) }> (i)"
            + " | its body takes 1 values, expected 2",
      })
  void nodesThatNoOperatorTakes(String node, String message) {
    String text =
        "g (float[2, 3] x, bool t) => (float[...] y) <float[2] w, int64[1] i = {0}> { %s }"
            .formatted(node);
    Path file = folder.resolve("model.onnx");
    OnnxWriter.write(Given.model(text), file, Placement.INLINE);

    assertRefused(file, "node ", message);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, 1L << 31, Long.MAX_VALUE})
  void versionsThatNoOperatorSetHas(long version) throws IOException {
    ModelProto.Builder model = Given.message(Given.tensor(DataType.FLOAT, 0));
    model.getOpsetImportBuilder(0).setVersion(version);

    assertRefused(Given.file(folder, model), "operator set '' is of version " + version);
  }

  private Path dataFile() throws IOException {
    return Files.write(folder.resolve("w.data"), new byte[16]);
  }

  private void assertRefused(TensorProto.Builder w, String... message) throws IOException {
    assertRefused(Given.file(folder, Given.message(w)), message);
  }

  private static void assertRefused(Path file, String... message) {
    assertThatThrownBy(() -> OnnxReader.read(file))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContainingAll(message);
    assertThat(message).isNotEmpty();
  }
}
