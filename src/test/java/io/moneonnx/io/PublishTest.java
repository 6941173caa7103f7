package io.moneonnx.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A model takes another's place. A program that is killed has done the first of the steps of
 * publishing, and none of the rest.
 */
class PublishTest {
  private static final Tensor.Inline OLD = Given.counting(3000);
  private static final Tensor.Inline NEW = Given.counting(5000);

  @TempDir private Path folder;
  private Path out;

  @BeforeEach
  void nameTheOutput() {
    out = folder.resolve("out.onnx");
  }

  private static ByteBuffer weight(Path model) {
    return OnnxReader.read(model).graph().constant("w").orElseThrow().bytes();
  }

  private String[] names() {
    return folder.toFile().list();
  }

  /** A fresh draft of the new model over the old one, in a folder of its own. */
  private FileDraft overTheOldModel(Placement old, Placement placement) throws IOException {
    out = Files.createTempDirectory(folder, "round").resolve("out.onnx");
    OnnxWriter.write(Given.holding(OLD), out, old);
    return (FileDraft) OnnxWriter.draft(Given.holding(NEW), out, placement);
  }

  @ParameterizedTest
  @EnumSource(names = {"INLINE", "EXTERNAL"})
  void aKilledProgramLeavesTheOldModelOrTheNewOne(Placement old) throws IOException {
    int steps = 0;
    for (int done = 0; done <= steps; done++) {
      try (FileDraft draft = overTheOldModel(old, Placement.EXTERNAL)) {
        List<PublishStep> all = draft.steps(true);
        steps = all.size();
        PublishStep.runAll(all.subList(0, done));
        boolean published = all.subList(0, done).contains(move(draft.path(), out));
        assertThat(weight(out))
            .as("after %s", all.subList(0, done))
            .isEqualTo((published ? NEW : OLD).bytes());
      }
    }
    assertThat(steps).isEqualTo(old == Placement.INLINE ? 8 : 9);
  }

  private static PublishStep move(Path from, Path to) {
    return new PublishStep.Move(from, to);
  }

  @Test
  void theNextRunReplacesWhatAKilledOneLeft() throws IOException {
    for (int done = 0; done <= 9; done++) {
      try (FileDraft draft = overTheOldModel(Placement.EXTERNAL, Placement.EXTERNAL)) {
        PublishStep.runAll(draft.steps(true).subList(0, done));
      }
      OnnxWriter.write(Given.holding(NEW), out, Placement.EXTERNAL);
      assertThat(weight(out)).isEqualTo(NEW.bytes());
      assertThat(out.getParent().toFile().list()).as("after %d steps", done).hasSize(2);
    }
  }

  @Test
  void namesOfDataFilesTakeTurns() {
    for (String data : List.of("out.onnx.data", "out.onnx-2.data", "out.onnx.data")) {
      OnnxWriter.write(Given.holding(NEW), out, Placement.EXTERNAL);
      assertThat(names()).containsExactlyInAnyOrder("out.onnx", data);
    }
  }

  @Test
  void aModelInOneFileTakesAlongTheOldDataFile() {
    OnnxWriter.write(Given.holding(OLD), out, Placement.EXTERNAL);
    OnnxWriter.write(Given.holding(NEW), out, Placement.INLINE);
    assertThat(names()).containsExactly("out.onnx");
  }

  @Test
  void dataThatAnotherModelReadsStay() throws IOException {
    OnnxWriter.write(Given.holding(OLD), out, Placement.EXTERNAL);
    Path copy = Files.copy(out, folder.resolve("copy.onnx"));
    OnnxWriter.write(Given.holding(NEW), out, Placement.EXTERNAL);
    assertThat(weight(out)).isEqualTo(NEW.bytes());
    assertThat(weight(copy)).isEqualTo(OLD.bytes());
    OnnxWriter.write(Given.holding(OLD), out, Placement.EXTERNAL);
    assertThat(weight(copy)).isEqualTo(OLD.bytes());
    assertThat(names()).contains("out.onnx-3.data").doesNotContain("out.onnx-2.data");
  }

  @Test
  void dataOfAnotherNameStay() throws IOException {
    Path named = folder.resolve("weights");
    OnnxWriter.write(Given.holding(OLD), named, Placement.EXTERNAL);
    Files.move(named, out);
    OnnxWriter.write(Given.holding(NEW), out, Placement.EXTERNAL);
    assertThat(names()).containsExactlyInAnyOrder("out.onnx", "out.onnx.data", "weights.data");
  }

  @Test
  void aModelThatAppearedMeanwhileIsNotGivenOtherWeights() {
    try (Draft draft = OnnxWriter.draft(Given.holding(NEW), out, Placement.EXTERNAL)) {
      OnnxWriter.write(Given.holding(OLD), out, Placement.EXTERNAL);
      assertThatThrownBy(() -> draft.publish(true))
          .isInstanceOf(BadInputException.class)
          .hasMessage(out + ": was written by another program, and reads out.onnx.data by now");
    }
    assertThat(weight(out)).isEqualTo(OLD.bytes());
  }

  @Test
  void dataThatTheModelIsMadeFromStay() throws IOException {
    out = Files.createDirectory(folder.resolve("inner")).resolve("out.onnx");
    OnnxWriter.write(Given.holding(NEW), out, Placement.EXTERNAL);
    Path reader =
        Given.file(folder, Given.message(Given.external(5000, "location", "inner/out.onnx.data")));
    Model model = OnnxReader.read(reader);
    try (Draft draft =
        OnnxWriter.draft(model, ModelFiles.of(reader, model), out, Placement.INLINE)) {
      draft.publish(true);
    }
    assertThat(weight(reader)).isEqualTo(NEW.bytes());
  }

  // Links

  /** A model with weights that a link at {@code out} leads to. */
  private ModelFiles original(String name, Tensor tensor) throws IOException {
    Path model = Files.createDirectory(folder.resolve(name)).resolve("m.onnx");
    OnnxWriter.write(Given.holding(tensor), model, Placement.EXTERNAL);
    return ModelFiles.of(model, OnnxReader.read(model));
  }

  private FileDraft linked(ModelFiles files) {
    Model model = OnnxReader.read(files.model());
    return (FileDraft) OnnxWriter.draft(model, files, out, Placement.LINKED);
  }

  @Test
  void aKilledProgramLeavesTheOldLinksToTheOldModel() throws IOException {
    ModelFiles old = original("old", OLD);
    ModelFiles other = original("new", NEW);
    for (int done = 0; done <= 8; done++) {
      out = Files.createTempDirectory(folder, "round").resolve("out.onnx");
      try (FileDraft draft = linked(old)) {
        draft.publish(false);
      }
      try (FileDraft draft = linked(other)) {
        List<PublishStep> all = draft.steps(true);
        assertThat(all).hasSize(8);
        PublishStep.runAll(all.subList(0, done));
        boolean published = all.subList(0, done).contains(move(draft.path(), out));
        assertThat(weight(out)).isEqualTo((published ? NEW : OLD).bytes());
      }
    }
    assertThat(weight(old.model())).isEqualTo(OLD.bytes());
  }

  // Folders

  private FolderDraft overTheOldFolder() throws IOException {
    Path round = Files.createTempDirectory(folder, "round");
    Path model = Files.createDirectory(round.resolve("in")).resolve("m.onnx");
    OnnxWriter.write(Given.holding(NEW), model, Placement.EXTERNAL);
    out = round.resolve("pruned");
    OnnxWriter.write(
        Given.holding(OLD), Files.createDirectory(out).resolve("m.onnx"), Placement.EXTERNAL);
    ModelFiles files = ModelFiles.of(model, OnnxReader.read(model));
    return (FolderDraft)
        OnnxWriter.draftFolder(OnnxReader.read(model), files, out, Placement.EXTERNAL);
  }

  @Test
  void whatAKilledProgramDidToAFolderIsUndoneOrDone() throws IOException {
    for (int done = 1; done <= 4; done++) {
      FolderDraft draft = overTheOldFolder();
      List<PublishStep> all = draft.steps(true);
      assertThat(all).hasSize(7);
      PublishStep.runAll(all.subList(0, 3 + done));
      boolean isPutBack = done == 1;

      assertThat(Draft.recover(out))
          .hasSize(done == 4 ? 0 : 1)
          .allMatch(line -> line.contains(isPutBack ? "is back as it was" : "removed"));

      assertThat(weight(out.resolve("m.onnx"))).isEqualTo((isPutBack ? OLD : NEW).bytes());
      draft.close();
      assertThat(out.getParent().toFile().list()).containsExactlyInAnyOrder("in", "pruned");
    }
  }

  @Test
  void aFolderThatIsThereIsLeftAlone() throws IOException {
    try (FolderDraft draft = overTheOldFolder()) {
      assertThat(Draft.recover(out)).isEmpty();
      assertThat(draft.path()).exists();
      assertThat(weight(out.resolve("m.onnx"))).isEqualTo(OLD.bytes());
    }
  }

  @Test
  void ofSeveralFoldersTheNewestIsPutBack() throws IOException {
    Path place = folder.resolve("pruned");
    for (String time : List.of("1", "3", "2")) {
      Path hidden = Files.createDirectory(folder.resolve(".pruned.tmp-" + time + "-replaced"));
      Files.writeString(hidden.resolve(time), "");
      assertThat(hidden.toFile().setLastModified(Long.parseLong(time) * 100_000)).isTrue();
    }
    assertThat(Draft.recover(place)).hasSize(3);
    assertThat(place.toFile().list()).containsExactly("3");
    assertThat(names()).containsExactly("pruned");
  }

  @Test
  void aStrayFileThatHasTheNameOfTheDataIsCopiedAsItIs() throws IOException {
    Path model = Files.createDirectory(folder.resolve("in")).resolve("m.onnx");
    OnnxWriter.write(Given.holding(NEW), model, Placement.INLINE);
    Files.writeString(model.resolveSibling("m.onnx.data"), "stray");
    ModelFiles files = ModelFiles.of(model, OnnxReader.read(model));
    try (Draft draft =
        OnnxWriter.draftFolder(
            OnnxReader.read(model), files, folder.resolve("pruned"), Placement.EXTERNAL)) {
      draft.publish(false);
    }
    assertThat(weight(folder.resolve("pruned/m.onnx"))).isEqualTo(NEW.bytes());
    assertThat(folder.resolve("pruned/m.onnx.data")).hasContent("stray");
    assertThat(folder.resolve("pruned/m.onnx-2.data")).exists();
  }
}
