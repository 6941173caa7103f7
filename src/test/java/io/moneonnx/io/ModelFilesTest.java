package io.moneonnx.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.proto.onnx.AttributeProto;
import io.moneonnx.proto.onnx.NodeProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFilesTest {
  @TempDir private Path folder;
  private Path file;
  private Model model;

  /** {@code y = Add (w, c)}: an initializer and a constant, each with a data file of its own. */
  @BeforeEach
  void writesAModel() throws IOException {
    for (String data : new String[] {"w.bin", "c.bin"}) {
      Files.write(folder.resolve(data), new byte[4 * 500]);
    }
    AttributeProto.Builder value =
        AttributeProto.newBuilder()
            .setName("value")
            .setType(AttributeProto.AttributeType.TENSOR)
            .setT(Given.external(500, "location", "c.bin"));
    NodeProto.Builder constant =
        NodeProto.newBuilder().setOpType("Constant").addOutput("c").addAttribute(value);
    var proto = Given.message(Given.external(500, "location", "w.bin"));
    proto
        .getGraphBuilder()
        .clearNode()
        .addNode(constant)
        .addNode(
            NodeProto.newBuilder().setOpType("Add").addInput("w").addInput("c").addOutput("y"));
    file = Given.file(folder, proto);
    model = OnnxReader.read(file);
  }

  @Test
  void namesTheDataOfConstantsToo() throws IOException {
    Path real = folder.toRealPath();
    assertThat(ModelFiles.of(file, model).all())
        .containsExactlyInAnyOrder(
            real.resolve("model.onnx"), real.resolve("w.bin"), real.resolve("c.bin"));
  }

  @Test
  void dataStayBehindWhereAModelIsWrittenAnew(@TempDir Path copy) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), "{}");
    ModelFiles files = ModelFiles.of(file, model);

    files.copyOthers(copy);

    assertThat(copy.toFile().list()).contains("tokenizer.json").doesNotContain("c.bin", "w.bin");
  }

  @Test
  void aFolderThatHoldsItselfIsNoFolderToCopy() throws IOException {
    Files.createSymbolicLink(folder.resolve("again"), folder);
    ModelFiles files = ModelFiles.of(file, model);

    assertThatThrownBy(files::otherModels)
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining(folder + ": cannot be read");
  }
}
