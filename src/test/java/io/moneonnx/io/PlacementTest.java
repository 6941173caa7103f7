package io.moneonnx.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ColumnCut;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PlacementTest {
  @TempDir private Path folder;

  @Test
  void movesBigTensorsToTheDataFileAndBack() {
    Model model = Given.holding(Given.counting(5000));
    Path apart = folder.resolve("apart.onnx");
    Path whole = folder.resolve("whole.onnx");
    assertThat(OnnxWriter.write(model, apart, Placement.EXTERNAL).files())
        .containsExactly(folder.resolve("apart.onnx.data"), apart);
    assertThat(OnnxWriter.write(OnnxReader.read(apart), whole, Placement.INLINE).files())
        .containsExactly(whole);
    assertThat(weight(OnnxReader.read(apart)).bytes()).isEqualTo(Given.counting(5000).bytes());
    assertThat(weight(OnnxReader.read(whole)).bytes()).isEqualTo(Given.counting(5000).bytes());
  }

  @Test
  void alignsTensorsInTheDataFile() {
    Model model = Given.holding(Given.counting(300));
    model = model.withGraph(Given.withInitializer(model.graph(), "x", Given.counting(301)));
    model = model.withGraph(Given.withInitializer(model.graph(), "y", Given.counting(20_000)));
    Path out = folder.resolve("out.onnx");
    OnnxWriter.write(model, out, Placement.EXTERNAL);
    Model read = OnnxReader.read(out);
    assertThat(Stream.of("w", "x", "y").map(name -> range(read, name).offset()))
        .containsExactly(0L, 1216L, 4096L);
  }

  @Test
  void writesTheSameElementsOnce() {
    Model model = Given.holding(Given.counting(300));
    model = model.withGraph(Given.withInitializer(model.graph(), "x", Given.counting(300)));
    Path out = folder.resolve("out.onnx");
    Path again = folder.resolve("again.onnx");
    OnnxWriter.write(model, out, Placement.EXTERNAL);
    OnnxWriter.write(OnnxReader.read(out), again, Placement.EXTERNAL);
    for (Model read : List.of(OnnxReader.read(out), OnnxReader.read(again))) {
      assertThat(range(read, "w")).isEqualTo(range(read, "x"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void writesRowsInTheOrderAskedFor(Placement placement) {
    Tensor.Inline matrix = new Tensor.Inline(ElementType.FLOAT, List.of(4L, 1000L), counting(4000));
    List<Integer> rows = List.of(3, 0, 1);
    Path whole = folder.resolve("whole.onnx");
    OnnxWriter.write(Given.holding(matrix), whole, Placement.EXTERNAL);
    Path cut = folder.resolve("cut.onnx");
    Tensor kept = weight(OnnxReader.read(whole)).rows(rows);
    assertThat(((Tensor.External) kept).ranges()).hasSize(2);
    OnnxWriter.write(Given.holding(kept), cut, placement);
    assertThat(weight(OnnxReader.read(cut)).bytes()).isEqualTo(matrix.rows(rows).bytes());
  }

  @ParameterizedTest
  @EnumSource
  void runtimeFindsWeightsWhereTheyAre(Placement placement) {
    Path file = folder.resolve("whole.onnx");
    OnnxWriter.write(Given.holding(Given.counting(5001)), file, placement);
    Model model = OnnxReader.read(file);
    ByteBuffer bytes = OnnxWriter.inMemory(model, folder).bytes();
    assertThat(bytes.remaining()).isLessThan(1000);
    try (Session session = Session.open("whole", model, folder, RunOptions.cpu())) {
      Tensor y = session.run(Map.of(), List.of("y")).get("y");
      assertThat(y.bytes()).isEqualTo(Given.counting(5001).bytes());
    }
  }

  @Test
  void cutTensorsAreInTheBytes() {
    Path file = folder.resolve("whole.onnx");
    OnnxWriter.write(Given.holding(Given.counting(5000)), file, Placement.EXTERNAL);
    Tensor cut =
        weight(OnnxReader.read(file)).rows(Stream.iterate(0, i -> i + 2).limit(2000).toList());
    Model model = Given.holding(cut);
    assertThat(OnnxWriter.inMemory(model, folder).bytes().remaining()).isGreaterThan(8000);
    try (Session session = Session.open("cut", model, folder, RunOptions.cpu())) {
      Tensor y = session.run(Map.of(), List.of("y")).get("y");
      assertThat(y.bytes()).isEqualTo(cut.bytes());
    }
  }

  /** 12 MB of rows of 12 bytes each, in pieces that end anywhere. */
  @ParameterizedTest
  @EnumSource(
      value = Placement.class,
      names = {"INLINE", "EXTERNAL"})
  void columnsAreCutWhileTheyAreWritten(Placement placement) {
    Path file = folder.resolve("whole.onnx");
    Tensor counting = Given.counting(7 << 20).reshaped(List.of(1L << 20, 7L));
    OnnxWriter.write(Given.holding(counting), file, Placement.EXTERNAL);
    List<Integer> some = List.of(1, 2, 6);
    Tensor cut = weight(OnnxReader.read(file)).along(1, some);
    assertThat(cut).isInstanceOf(ColumnCut.class);
    Path written = folder.resolve("cut.onnx");
    OnnxWriter.write(Given.holding(cut), written, placement);
    assertThat(weight(OnnxReader.read(written)).bytes()).isEqualTo(counting.along(1, some).bytes());
  }

  @Test
  void cutTensorsLeaveBytesThatWouldBeTooMany() {
    Path file = folder.resolve("whole.onnx");
    OnnxWriter.write(Given.holding(Given.counting(1 << 20)), file, Placement.EXTERNAL);
    List<Integer> everyOther = Stream.iterate(0, i -> i + 2).limit(1 << 19).toList();
    Tensor cut = weight(OnnxReader.read(file)).rows(everyOther);
    assertThat(cut).isInstanceOf(Tensor.External.class);
    Model model = Given.holding(cut);
    assertThat(OnnxWriter.inMemory(model, folder).apart()).isEmpty();
    InMemory small = OnnxWriter.inMemory(model, folder, 1 << 20);
    assertThat(small.bytes().remaining()).isLessThan(1000);
    assertThat(small.apart().values()).singleElement().matches(Tensor::isOffHeap);
    assertThat(small.apart().values().iterator().next().bytes()).isEqualTo(cut.bytes());
  }

  @Test
  void staysExternalIfTheInputWas() {
    Path apart = folder.resolve("apart.onnx");
    Path whole = folder.resolve("whole.onnx");
    Model model = Given.holding(Given.counting(5000));
    OnnxWriter.write(model, apart, Placement.EXTERNAL);
    OnnxWriter.write(model, whole, Placement.INLINE);
    assertThat(Placement.fitting(OnnxReader.read(apart), apart)).isEqualTo(Placement.EXTERNAL);
    assertThat(Placement.fitting(OnnxReader.read(whole), whole)).isEqualTo(Placement.INLINE);
  }

  @Test
  void bigModelsGetADataFile() throws IOException {
    Model model = Given.holding(sparse(400_000_000));
    assertThat(Placement.fitting(model, folder.resolve("sparse"))).isEqualTo(Placement.EXTERNAL);
  }

  @Test
  void refusesToPassTwoGibibytesInOneFile() throws IOException {
    Model model = Given.holding(sparse(600_000_000));
    Path out = folder.resolve("out.onnx");
    assertThatThrownBy(() -> OnnxWriter.write(model, out, Placement.INLINE))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("out.onnx: would have 2");
    assertThat(folder).isDirectoryNotContaining(file -> !file.endsWith("sparse"));
  }

  @Test
  void refusesToPassTwoGibibytesByAFewBytes() throws IOException {
    Model model = Given.holding(sparse(Integer.MAX_VALUE / 4));
    assertThatThrownBy(() -> OnnxWriter.write(model, folder.resolve("out.onnx"), Placement.INLINE))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("out.onnx: would have 2");
  }

  /** So many zeros, in a file that takes no room on the disk. */
  private Tensor sparse(long floats) throws IOException {
    Path file = folder.resolve("sparse");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(4 * floats);
    }
    FileRange all = new FileRange(file, 0, Files.size(file));
    return new Tensor.External(ElementType.FLOAT, List.of(floats), List.of(all));
  }

  private static ByteBuffer counting(int size) {
    return Given.counting(size).bytes();
  }

  private static Tensor weight(Model model) {
    return model.graph().initializers().get("w").tensor();
  }

  private static FileRange range(Model model, String name) {
    Tensor tensor = model.graph().initializers().get(name).tensor();
    return ((Tensor.External) tensor).ranges().get(0);
  }
}
