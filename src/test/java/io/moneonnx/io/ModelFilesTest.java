package io.moneonnx.io;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Model;
import io.moneonnx.proto.onnx.AttributeProto;
import io.moneonnx.proto.onnx.NodeProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
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
  void onlyFilesOfTheFolderAreCopied(@TempDir Path elsewhere, @TempDir Path copy)
      throws IOException {
    Path secret = Files.writeString(elsewhere.resolve("secret"), "mine");
    Files.createSymbolicLink(folder.resolve("again"), folder);
    Files.createSymbolicLink(folder.resolve("config.json"), secret);
    Files.createSymbolicLink(folder.resolve("more"), elsewhere);
    Files.createSymbolicLink(folder.resolve("gone.onnx"), folder.resolve("nothing"));
    Files.createSymbolicLink(folder.resolve("null.onnx"), Path.of("/dev/null"));
    Files.createDirectory(folder.resolve("folder.onnx"));
    Files.createSymbolicLink(folder.resolve("twice.bin"), folder.resolve("inner.txt"));
    Files.writeString(folder.resolve("inner.txt"), "inner");
    ModelFiles files = ModelFiles.of(file, model);

    assertThat(files.otherModels()).isEmpty();
    assertThat(files.left())
        .containsEntry(folder.resolve("again"), "a link to a folder that it lies in")
        .containsEntry(folder.resolve("gone.onnx"), "a link to what is not there")
        .containsEntry(folder.resolve("null.onnx"), "no regular file")
        .containsEntry(
            folder.resolve("config.json"), "a link out of the folder, to " + secret.toRealPath())
        .containsOnlyKeys(
            Stream.of("again", "gone.onnx", "null.onnx", "config.json", "more")
                .map(folder::resolve)
                .toList());

    files.copyOthers(copy);
    assertThat(copy.toFile().list())
        .containsExactlyInAnyOrder("folder.onnx", "twice.bin", "inner.txt");
    assertThat(copy.resolve("twice.bin")).hasContent("inner");
  }

  /** As the cache of the Hugging Face Hub lies on a disk. */
  @Test
  void filesOfTheHubsCacheLieInItsBlobs(@TempDir Path cache, @TempDir Path copy)
      throws IOException {
    Path blobs = Files.createDirectory(cache.resolve("blobs"));
    Path snapshot = Files.createDirectories(cache.resolve("snapshots").resolve("0123"));
    Files.writeString(blobs.resolve("abc"), "{}");
    Files.createSymbolicLink(snapshot.resolve("config.json"), Path.of("../../blobs/abc"));
    Files.copy(file, blobs.resolve("def"));
    for (String data : List.of("w.bin", "c.bin")) {
      Files.copy(folder.resolve(data), snapshot.resolve(data));
    }
    Path link = Files.createSymbolicLink(snapshot.resolve("m.onnx"), blobs.resolve("def"));
    ModelFiles files = ModelFiles.of(link, model);

    assertThat(files.left()).isEmpty();
    files.copyOthers(copy);
    assertThat(copy.resolve("config.json")).isRegularFile().hasContent("{}");
  }
}
