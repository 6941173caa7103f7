package io.moneonnx.io;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Function;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.proto.onnx.AttributeProto;
import io.moneonnx.proto.onnx.AttributeProto.AttributeType;
import io.moneonnx.proto.onnx.FunctionProto;
import io.moneonnx.proto.onnx.ModelProto;
import io.moneonnx.proto.onnx.NodeProto;
import io.moneonnx.proto.onnx.SparseTensorProto;
import io.moneonnx.proto.onnx.StringStringEntryProto;
import io.moneonnx.proto.onnx.TensorProto;
import io.moneonnx.proto.onnx.TensorProto.DataType;
import io.moneonnx.proto.onnx.TensorShapeProto;
import io.moneonnx.proto.onnx.TypeProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class RoundTripTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @EnumSource
  void keepsNodesAttributesAndConstants(Placement placement) {
    Graph graph =
        GraphText.parse(
            """
            block (float[T, 4] x, bool c, float[...] u) => (float[T, 8] y, int64 n)
            <int64[1] k = {2}, float[4, 8] router, float[0, 4] none = {}, float one = {1.5},
             float[64, 64] big>
            {
              scores = MatMul (x, router)
              best, experts = TopK <axis = -1, largest = 1> (scores, k)
              _y = com.microsoft.Fused <mode = "fast", alpha = 0.5, sizes = [1, 2], scales = [0.5, 2.0]>
                  (best, , experts)
              t = Constant <value = int64[2] {3, 4}> ()
              y = If <then_branch = a () => (float z) { z = Neg (_y) },
                      else_branch = b () => (float z) <float w = {2}> { z = Mul (_y, w) }> (c)
              n = Size (y)
            }
            """);
    Graph read = rewritten(Given.model(graph), placement).graph();
    assertThat(read.toString()).isEqualTo(graph.toString());
    assertThat(read.initializers().get("big").tensor().bytes())
        .isEqualTo(graph.initializers().get("big").tensor().bytes());
  }

  @Test
  void keepsTexts() {
    Node node =
        Node.of("Op", List.of("x"), List.of("y"), Map.of())
            .withAttribute("texts", new Attribute.OfTexts(List.of("a", "", "é")))
            .withAttribute("none", new Attribute.OfTexts(List.of()));
    Graph graph = GraphText.parse("g (float x) => (float y) { y = Op (x) }");
    Model read = rewritten(Given.model(graph.withNodes(List.of(node))), Placement.INLINE);
    assertThat(read.graph().nodes()).containsExactly(node);
  }

  @ParameterizedTest
  @CsvSource({"FLOAT16, 003c00c0", "INT4, 2143", "BFLOAT16, 803f0040", "BOOL, 00010100"})
  void keepsPackedElements(ElementType type, String hex) {
    ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(hex));
    List<Long> dims = List.of(8L * bytes.remaining() / type.bits());
    Model read = rewritten(Given.holding(new Tensor.Inline(type, dims, bytes)), Placement.INLINE);
    assertThat(constant(read)).isEqualTo(new Tensor.Inline(type, dims, bytes));
  }

  @Test
  void keepsStrings() {
    ByteBuffer word = ByteBuffer.wrap(new byte[] {'w', (byte) 0xff});
    Tensor strings = new Tensor.Strings(List.of(2L), List.of(word, ByteBuffer.allocate(0)));
    assertThat(constant(rewritten(Given.holding(strings), Placement.EXTERNAL))).isEqualTo(strings);
  }

  @ParameterizedTest
  @CsvSource({
    "INT32, ffffffff07000000",
    "UINT8, ff07",
    "INT8, ff07",
    "BOOL, ff07",
    "INT16, ffff0700",
    "FLOAT16, ffff0700",
    "BFLOAT16, ffff0700",
    "FLOAT8E4M3FN, ff07"
  })
  void packsNumbersOfUpTo32Bits(DataType type, String hex) throws IOException {
    assertPacked(Given.tensor(type, 2).addInt32Data(-1).addInt32Data(7), hex);
  }

  @Test
  void packsOtherNumbers() throws IOException {
    assertPacked(Given.tensor(DataType.INT4, 3).addInt32Data(0x21).addInt32Data(3), "2103");
    assertPacked(Given.tensor(DataType.FLOAT, 1).addFloatData(1), "0000803f");
    assertPacked(
        Given.tensor(DataType.COMPLEX64, 1).addFloatData(1).addFloatData(0), "0000803f00000000");
    assertPacked(Given.tensor(DataType.DOUBLE, 1).addDoubleData(1), "000000000000f03f");
    assertPacked(Given.tensor(DataType.INT64, 1).addInt64Data(-2), "feffffffffffffff");
    assertPacked(Given.tensor(DataType.UINT32, 1).addUint64Data(0xfffffffeL), "feffffff");
    assertPacked(Given.tensor(DataType.UINT64, 1).addUint64Data(-2), "feffffffffffffff");
  }

  private void assertPacked(TensorProto.Builder tensor, String hex) throws IOException {
    Tensor read = constant(OnnxReader.read(Given.file(folder, Given.message(tensor))));
    assertThat(read.bytes()).isEqualTo(ByteBuffer.wrap(HexFormat.of().parseHex(hex)));
  }

  @Test
  void findsBigInitializersInTheModelFile() throws IOException {
    Tensor.Inline big = Given.counting(2000);
    ModelProto.Builder message = Given.message(Given.tensor(DataType.FLOAT, 1).addFloatData(1));
    message
        .getGraphBuilder()
        .addInitializer(
            Given.tensor(DataType.FLOAT, 2000)
                .setName("big")
                .setRawData(ByteString.copyFrom(big.bytes())));
    Path file = Given.file(folder, message);
    Tensor read = OnnxReader.read(file).graph().initializers().get("big").tensor();
    FileRange range = ((Tensor.External) read).ranges().get(0);
    assertThat(range.file()).isEqualTo(file.toRealPath());
    assertThat(read.bytes()).isEqualTo(big.bytes());
  }

  @Test
  void keepsFieldsOfNewerVersions() throws IOException {
    ModelProto.Builder message = Given.message(Given.tensor(DataType.INT64, 0));
    message.setUnknownFields(Given.UNKNOWN);
    message.getGraphBuilder().setUnknownFields(Given.UNKNOWN);
    message.getGraphBuilder().getNodeBuilder(0).setUnknownFields(Given.UNKNOWN);
    message
        .getGraphBuilder()
        .getNodeBuilder(0)
        .addAttributeBuilder()
        .setName("a")
        .setType(AttributeType.INT)
        .setUnknownFields(Given.UNKNOWN);
    message.getGraphBuilder().getInitializerBuilder(0).setUnknownFields(Given.UNKNOWN);
    message.getGraphBuilder().getOutputBuilder(0).setUnknownFields(Given.UNKNOWN);
    assertKept(message);
  }

  @Test
  void keepsWhatNoPassLooksAt() throws IOException {
    StringStringEntryProto entry =
        StringStringEntryProto.newBuilder().setKey("key").setValue("value").build();
    NodeProto node = NodeProto.newBuilder().setOpType("Relu").addInput("a").addOutput("b").build();
    SparseTensorProto sparse =
        SparseTensorProto.newBuilder()
            .setValues(Given.tensor(DataType.FLOAT, 1).addFloatData(1))
            .addDims(9)
            .build();
    ModelProto.Builder message = Given.message(Given.tensor(DataType.INT64, 0));
    message
        .setProducerName("exporter")
        .setModelVersion(0)
        .setDocString("model")
        .addMetadataProps(entry)
        .addFunctions(FunctionProto.newBuilder().setName("f").setDomain("d").addNode(node));
    message.addTrainingInfoBuilder().getAlgorithmBuilder().addNode(node);
    message
        .getGraphBuilder()
        .setDocString("graph")
        .addMetadataProps(entry)
        .addQuantizationAnnotationBuilder()
        .setTensorName("y");
    message.getGraphBuilder().getInitializerBuilder(0).setDocString("initializer");
    message
        .getGraphBuilder()
        .getNodeBuilder(0)
        .setDocString("node")
        .setOverload("o")
        .addMetadataProps(entry)
        .addAttribute(
            AttributeProto.newBuilder()
                .setName("sparse")
                .setType(AttributeType.SPARSE_TENSOR)
                .setSparseTensor(sparse))
        .addAttribute(
            AttributeProto.newBuilder()
                .setName("reference")
                .setType(AttributeType.INT)
                .setRefAttrName("outer"))
        .addAttribute(
            AttributeProto.newBuilder()
                .setName("bytes")
                .setType(AttributeType.STRING)
                .setS(ByteString.copyFrom(new byte[] {(byte) 0xff})));
    assertKept(message);
  }

  @Test
  void keepsFunctions() throws IOException {
    FunctionProto.Builder function =
        FunctionProto.newBuilder()
            .setDomain("d")
            .setName("f")
            .setOverload("o")
            .setDocString("function")
            .addInput("a")
            .addOutput("b")
            .addAttribute("slope")
            .addAttributeProto(
                AttributeProto.newBuilder().setName("axis").setType(AttributeType.INT).setI(1));
    function
        .addNodeBuilder()
        .setOpType("LeakyRelu")
        .addInput("a")
        .addOutput("b")
        .addAttributeBuilder()
        .setName("alpha")
        .setType(AttributeType.FLOAT)
        .setRefAttrName("slope");
    function.addOpsetImportBuilder().setDomain("").setVersion(17);
    function.addValueInfoBuilder().setName("b").getTypeBuilder();
    assertKept(Given.message(Given.tensor(DataType.INT64, 0)).addFunctions(function));

    Function read = OnnxReader.read(folder.resolve("model.onnx")).functions().get(0);
    assertThat(read.label()).isEqualTo("d.f:o");
    assertThat(read.attributes()).containsExactly("slope");
    assertThat(read.defaults()).isEqualTo(Map.of("axis", Attribute.of(1)));
    assertThat(read.nodes().get(0).attributes().get("alpha"))
        .isInstanceOfSatisfying(
            Attribute.Reference.class,
            reference -> assertThat(reference.outer()).isEqualTo("slope"));
  }

  @Test
  void keepsDeclarationsOfEveryKind() throws IOException {
    ModelProto.Builder message = Given.message(Given.tensor(DataType.INT64, 0));
    TypeProto tensor =
        TypeProto.newBuilder()
            .setDenotation("IMAGE")
            .setTensorType(
                TypeProto.Tensor.newBuilder()
                    .setElemType(1)
                    .setShape(
                        TensorShapeProto.newBuilder()
                            .addDim(
                                TensorShapeProto.Dimension.newBuilder()
                                    .setDimParam("N")
                                    .setDenotation("BATCH"))
                            .addDim(TensorShapeProto.Dimension.newBuilder())))
            .build();
    message.getGraphBuilder().addInputBuilder().setName("a").setDocString("doc").setType(tensor);
    message
        .getGraphBuilder()
        .addInputBuilder()
        .setName("b")
        .getTypeBuilder()
        .getSequenceTypeBuilder()
        .setElemType(tensor);
    message.getGraphBuilder().addValueInfoBuilder().setName("c").getTypeBuilder();
    assertKept(message);
    Value a = OnnxReader.read(folder.resolve("model.onnx")).graph().inputs().get(0);
    assertThat(a.type()).contains(ElementType.FLOAT);
    assertThat(a.shape().orElseThrow()).hasToString("[N, ?]");
  }

  private void assertKept(ModelProto.Builder message) throws IOException {
    Path out = folder.resolve("out.onnx");
    OnnxWriter.write(OnnxReader.read(Given.file(folder, message)), out, Placement.INLINE);
    ModelProto written = ModelProto.parseFrom(Files.readAllBytes(out));
    assertThat(NormalForm.of(written, folder)).isEqualTo(NormalForm.of(message.build(), folder));
  }

  private Model rewritten(Model model, Placement placement) {
    Path out = folder.resolve("out.onnx");
    OnnxWriter.write(model, out, placement);
    return OnnxReader.read(out);
  }

  private static Tensor constant(Model model) {
    return model.graph().constant("w").orElseThrow();
  }
}
