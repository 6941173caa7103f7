package io.moneonnx.io;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.RealExports;
import io.moneonnx.graph.Model;
import io.moneonnx.proto.onnx.ModelProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every file that a real exporter wrote. */
class ZooTest {
  @TempDir private Path folder;

  static List<Path> models() throws IOException {
    return RealExports.files();
  }

  @ParameterizedTest
  @MethodSource("models")
  void keepsEverythingTheFileSays(Path file) throws IOException {
    for (Placement placement : Placement.values()) {
      Path rewritten = folder.resolve(placement + ".onnx");
      OnnxWriter.write(OnnxReader.read(file), rewritten, placement);
      assertThat(normal(rewritten)).isEqualTo(normal(file));
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void writesItsOwnFilesAsTheyAre(Path file) throws IOException {
    Model model = OnnxReader.read(file);
    for (Placement placement : Placement.values()) {
      Path once = Files.createDirectory(folder.resolve(placement + "1")).resolve("model.onnx");
      Path twice = Files.createDirectory(folder.resolve(placement + "2")).resolve("model.onnx");
      List<Path> first = OnnxWriter.write(model, once, placement).files();
      List<Path> second = OnnxWriter.write(OnnxReader.read(once), twice, placement).files();
      assertThat(second).hasSameSizeAs(first);
      for (int i = 0; i < first.size(); i++) {
        assertThat(second.get(i)).hasSameBinaryContentAs(first.get(i));
      }
    }
  }

  private static ModelProto normal(Path file) throws IOException {
    ModelProto proto = ModelProto.parseFrom(Files.readAllBytes(file));
    return NormalForm.of(proto, file.toAbsolutePath().getParent());
  }
}
