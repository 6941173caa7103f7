package io.moneonnx.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DraftTest {
  private static final Model MODEL = Given.holding(Given.counting(5000));

  @TempDir private Path folder;
  private Path out;

  @BeforeEach
  void nameTheOutput() {
    out = folder.resolve("out.onnx");
  }

  @Test
  void isCompleteBeforeItIsPublished() {
    try (Draft draft = OnnxWriter.draft(MODEL, out, Placement.EXTERNAL)) {
      assertThat(OnnxReader.read(draft.path()).graph().constant("w").orElseThrow().bytes())
          .isEqualTo(Given.counting(5000).bytes());
      assertThat(out).doesNotExist();
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void isPublishedWithItsData() throws IOException {
    Path data = folder.resolve("out.onnx.data");
    try (Draft draft = OnnxWriter.draft(MODEL, out, Placement.EXTERNAL)) {
      assertThat(draft.publish(false))
          .isEqualTo(
              new Written(
                  List.of(data, out), Files.size(data) + Files.size(out), Written.Linked.NONE));
    }
    assertThat(folder.toFile().list()).containsExactlyInAnyOrder("out.onnx", "out.onnx.data");
  }

  @Test
  void replacesFilesOnlyIfForced() throws IOException {
    Files.writeString(out, "mine");
    try (Draft draft = OnnxWriter.draft(MODEL, out, Placement.INLINE)) {
      assertThatThrownBy(() -> draft.publish(false))
          .isInstanceOf(BadInputException.class)
          .hasMessage(out + ": exists already");
      assertThat(out).hasContent("mine");
      draft.publish(true);
    }
    assertThat(OnnxReader.read(out).graph().constant("w")).isPresent();
  }

  @Test
  void keepsAnExistingDataFileUnlessForced() throws IOException {
    Path data = Files.writeString(folder.resolve("out.onnx.data"), "mine");
    try (Draft draft = OnnxWriter.draft(MODEL, out, Placement.EXTERNAL)) {
      assertThatThrownBy(() -> draft.publish(false)).hasMessage(data + ": exists already");
    }
    assertThat(data).hasContent("mine");
    assertThat(out).doesNotExist();
  }

  @Test
  void mayReplaceTheModelThatItsWeightsComeFrom() {
    OnnxWriter.write(MODEL, out, Placement.EXTERNAL);
    OnnxWriter.write(OnnxReader.read(out), out, Placement.EXTERNAL);
    assertThat(OnnxReader.read(out).graph().constant("w").orElseThrow().bytes())
        .isEqualTo(Given.counting(5000).bytes());
  }

  @Test
  void leavesNothingIfTheWeightsAreGone() throws IOException {
    Path input = folder.resolve("in.onnx");
    OnnxWriter.write(MODEL, input, Placement.EXTERNAL);
    Model model = OnnxReader.read(input);
    Files.write(folder.resolve("in.onnx.data"), new byte[100]);
    for (Placement placement : Placement.values()) {
      assertThatThrownBy(() -> OnnxWriter.draft(model, out, placement))
          .isInstanceOf(CannotWriteException.class)
          .hasMessageStartingWith(out + ": cannot be written: ")
          .hasMessageContaining(
              "in.onnx.data has shrunk to 100 bytes, expected those from 0 to 20000");
    }
    assertThat(folder.toFile().list()).containsExactlyInAnyOrder("in.onnx", "in.onnx.data");
  }

  @Test
  void saysThatTheFolderIsMissing() {
    Path nowhere = folder.resolve("missing/out.onnx");
    assertThatThrownBy(() -> OnnxWriter.draft(MODEL, nowhere, Placement.INLINE))
        .isInstanceOf(BadInputException.class)
        .hasMessage(nowhere + ": there is no folder " + nowhere.getParent());
  }

  @Test
  void saysThatTheFolderCannotBeWritten() {
    Path kernel = Path.of("/proc");
    assumeThat(kernel).isDirectory();
    assertThatThrownBy(() -> OnnxWriter.draft(MODEL, kernel.resolve("out.onnx"), Placement.INLINE))
        .isInstanceOf(CannotWriteException.class)
        .hasMessageStartingWith("/proc/out.onnx: cannot be written: ");
  }

  @Test
  void refusesAFolder() {
    assertThatThrownBy(() -> OnnxWriter.draft(MODEL, folder, Placement.INLINE))
        .isInstanceOf(BadInputException.class)
        .hasMessage(folder + ": is a folder, expected a file to write");
  }

  /** A model with its weights apart, and a file beside it. */
  private ModelFiles inFolder() throws IOException {
    Path model = Files.createDirectory(folder.resolve("in")).resolve("m.onnx");
    OnnxWriter.write(MODEL, model, Placement.EXTERNAL);
    Files.writeString(model.resolveSibling("tokenizer.json"), "{}");
    return ModelFiles.of(model, OnnxReader.read(model));
  }

  @Test
  void aFolderIsCompleteBeforeItIsPublishedAndGoneIfItIsNot() throws IOException {
    ModelFiles files = inFolder();
    Path pruned = folder.resolve("pruned");
    try (Draft draft = OnnxWriter.draftFolder(MODEL, files, pruned, Placement.EXTERNAL)) {
      assertThat(draft.path().getParent().toFile().list())
          .containsExactlyInAnyOrder("m.onnx", "m.onnx.data", "tokenizer.json");
      assertThat(pruned).doesNotExist();
    }
    assertThat(folder.toFile().list()).containsExactly("in");
  }

  @Test
  void aFolderIsPublishedAsAWhole() throws IOException {
    ModelFiles files = inFolder();
    Path pruned = folder.resolve("pruned");
    try (Draft draft = OnnxWriter.draftFolder(MODEL, files, pruned, Placement.INLINE)) {
      Path model = pruned.resolve("m.onnx");
      assertThat(draft.publish(false))
          .isEqualTo(new Written(List.of(model), Files.size(model), Written.Linked.NONE));
    }
    assertThat(pruned.toFile().list()).containsExactlyInAnyOrder("m.onnx", "tokenizer.json");
    assertThat(folder.toFile().list()).containsExactlyInAnyOrder("in", "pruned");
  }

  @Test
  void aFolderWhoseWeightsAreGoneLeavesNothing() throws IOException {
    ModelFiles files = inFolder();
    Model model = OnnxReader.read(files.model());
    Files.write(files.model().resolveSibling("m.onnx.data"), new byte[100]);
    assertThatThrownBy(
            () ->
                OnnxWriter.draftFolder(model, files, folder.resolve("pruned"), Placement.EXTERNAL))
        .isInstanceOf(CannotWriteException.class);
    assertThat(folder.toFile().list()).containsExactly("in");
  }
}
