package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.RealExports;
import io.moneonnx.data.Batch;
import io.moneonnx.data.Calibration;
import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataSource;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.data.RandomFeeds;
import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.Draft;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.Target;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Model directories of the onnxruntime-genai builder, fed and run as this program does it. */
class ModelDirectoriesTest {
  private static final List<int[]> SHAPES =
      List.of(new int[] {1, 1}, new int[] {1, 5}, new int[] {2, 7}, new int[] {1, 50});
  private static final List<String> LOGITS = List.of("logits");

  @TempDir private Path folder;

  static List<Path> all() throws IOException {
    return RealExports.directories();
  }

  /** Also the graph of such a directory alone: the size of a head stands nowhere else. */
  static List<Path> models() throws IOException {
    List<Path> models = new ArrayList<>(all());
    RealExports.files().stream()
        .filter(file -> file.endsWith("gpt_oss__genai.onnx"))
        .forEach(models::add);
    return models;
  }

  private static Path model(Path given) {
    return LoadedModel.open(given, Target.CPU).file();
  }

  @ParameterizedTest
  @MethodSource("models")
  void runsOnRandomTokens(Path directory) {
    Path file = model(directory);
    try (Session session = Session.open(file, RunOptions.cpu())) {
      for (int[] shape : SHAPES) {
        Tensor logits = session.run(feeds(file, shape), LOGITS).get("logits");
        assertThat(logits.dims()).startsWith((long) shape[0], (long) shape[1]);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void longerPastsChangeNothing(Path directory) {
    Path file = model(directory);
    try (Session session = Session.open(file, RunOptions.cpu())) {
      for (int[] shape : SHAPES) {
        Map<String, Tensor> feeds = feeds(file, shape);
        assertThat(session.run(withLongerPasts(feeds), LOGITS))
            .isEqualTo(session.run(feeds, LOGITS));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void laterTokensChangeNoEarlierLogits(Path directory) {
    Path file = model(directory);
    Map<String, Tensor> feeds = feeds(file, new int[] {1, 50});
    Map<String, Tensor> shorter = new LinkedHashMap<>(feeds);
    shorter.replaceAll(
        (name, tensor) -> tensor.rank() == 2 ? part(tensor, List.of(1L, 40L)) : tensor);
    try (Session session = Session.open(file, RunOptions.cpu())) {
      Tensor all = session.run(feeds, LOGITS).get("logits");
      Tensor beginning = session.run(shorter, LOGITS).get("logits");
      assertThat(part(all, beginning.dims())).isEqualTo(beginning);
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void runsOnText(Path directory) throws IOException {
    Path file = model(directory);
    Path text = Files.writeString(folder.resolve("text.txt"), "t3 t17 t4 t9 t101 ".repeat(40));
    Calibration data =
        Calibration.open(
            DataSource.untagged(List.of(text)),
            ModelFolder.of(file),
            OnnxReader.read(file).graph(),
            new CalibrationOptions(
                OptionalInt.of(48),
                OptionalInt.of(3),
                OptionalInt.of(2),
                Optional.empty(),
                Optional.empty()));
    List<List<Long>> shapes = new ArrayList<>();
    try (Session session = Session.open(file, RunOptions.cpu())) {
      for (Batch batch : data) {
        shapes.add(session.run(batch.feeds(), LOGITS).get("logits").dims());
      }
    }
    assertThat(shapes).containsExactly(List.of(2L, 48L, 256L), List.of(1L, 48L, 256L));
  }

  /** Read and written without a change: data, operators of other domains, everything beside. */
  @ParameterizedTest
  @MethodSource("all")
  void aCopyHasTheSameFilesAndGivesTheSameLogits(Path directory) {
    LoadedModel subject = LoadedModel.open(directory, Target.CPU);
    Path out = folder.resolve("copy");
    Placement placement = Placement.fitting(subject.model(), subject.file());
    Model cleaned = subject.model().withGraph(DeadCode.remove(subject.model().graph()));
    assertThat(cleaned.graph().nodes()).isEqualTo(subject.model().graph().nodes());
    try (Draft draft = OnnxWriter.draftFolder(cleaned, subject.files(), out, placement)) {
      draft.publish(false);
    }
    assertThat(out.toFile().list()).containsExactlyInAnyOrder(directory.toFile().list());
    for (int[] shape : SHAPES) {
      Map<String, Tensor> feeds = feeds(subject.file(), shape);
      assertThat(logits(LoadedModel.open(out, Target.CPU).file(), feeds))
          .isEqualTo(logits(subject.file(), feeds));
    }
  }

  private static Map<String, Tensor> logits(Path file, Map<String, Tensor> feeds) {
    try (Session session = Session.open(file, RunOptions.cpu())) {
      return session.run(feeds, LOGITS);
    }
  }

  private static Map<String, Tensor> feeds(Path file, int[] shape) {
    Graph graph = OnnxReader.read(file).graph();
    return RandomFeeds.of(graph, List.of()).orElseThrow().make(shape[0], shape[1], 1);
  }

  private static Map<String, Tensor> withLongerPasts(Map<String, Tensor> feeds) {
    Map<String, Tensor> longer = new LinkedHashMap<>(feeds);
    longer.replaceAll(
        (name, tensor) -> {
          List<Long> dims = new ArrayList<>(tensor.dims());
          if (dims.size() == 4) {
            dims.set(2, dims.get(2) + 64);
          }
          return dims.equals(tensor.dims()) ? tensor : zeros(tensor, dims);
        });
    return longer;
  }

  private static Tensor zeros(Tensor like, List<Long> dims) {
    int bytes = Math.toIntExact(like.type().bytes(Tensor.elements(dims)));
    return new Tensor.Inline(like.type(), dims, ByteBuffer.allocate(bytes));
  }

  private static Tensor part(Tensor tensor, List<Long> dims) {
    int bytes = Math.toIntExact(tensor.type().bytes(Tensor.elements(dims)));
    return new Tensor.Inline(tensor.type(), dims, tensor.bytes().slice(0, bytes));
  }
}
