package io.moneonnx.io;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinkedDataTest {
  private static final int ROWS = 6;
  private static final int COLUMNS = 1001;

  @TempDir private Path folder;
  private Path original;
  private Path out;

  @BeforeEach
  void writesTheOriginal() {
    original = folder.resolve("original.onnx");
    out = folder.resolve("out.onnx");
    Tensor matrix = Given.counting(ROWS * COLUMNS).reshaped(List.of((long) ROWS, (long) COLUMNS));
    OnnxWriter.write(Given.holding(matrix), original, Placement.EXTERNAL);
  }

  /** The rewritten model, of which the runtime reads these rows. */
  private Written keep(Integer... rows) {
    Model model = OnnxReader.read(original);
    Tensor kept = model.graph().constant("w").orElseThrow().rows(List.of(rows));
    ModelFiles files = ModelFiles.of(original, model);
    try (Draft draft = OnnxWriter.draft(Given.holding(kept), files, out, Placement.LINKED)) {
      assertRuntimeReads(draft.path(), kept);
      Written written = draft.publish(false);
      assertRuntimeReads(out, kept);
      return written;
    }
  }

  private static void assertRuntimeReads(Path file, Tensor kept) {
    try (Session session = Session.open(file, RunOptions.cpu())) {
      assertThat(session.run(Map.of(), List.of("y")).get("y").bytes()).isEqualTo(kept.bytes());
    }
  }

  private FileRange range() {
    return ((Tensor.External) OnnxReader.read(out).graph().constant("w").orElseThrow())
        .ranges()
        .get(0);
  }

  /** A row has 4,004 bytes: what begins on no page is mapped too. */
  @Test
  void rowsThatTouchStayWhereTheyAre() throws Exception {
    Written written = keep(1, 2, 3);

    assertThat(range())
        .isEqualTo(
            new FileRange(
                folder.resolve("original.onnx.data").toRealPath(),
                ElementType.FLOAT.bytes(COLUMNS),
                ElementType.FLOAT.bytes(3 * COLUMNS)));
    assertThat(written.linked().bytes()).isEqualTo(ElementType.FLOAT.bytes(3 * COLUMNS));
    assertThat(written.files()).containsExactly(out);
  }

  @Test
  void rowsThatDoNotTouchAreMoved() throws Exception {
    Written written = keep(0, 2, 3);

    assertThat(range().file()).isEqualTo(folder.resolve("out.onnx.data").toRealPath());
    assertThat(written.linked()).isEqualTo(Written.Linked.NONE);
  }
}
