package io.moneonnx.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelFolderTest {
  @TempDir Path folder;

  @Test
  void findsCalibrationDataAndTokenizerBesideTheModel() {
    ModelFolder beside = ModelFolder.of(Fixtures.MODEL);
    assertThat(beside.calibration()).isEqualTo(Path.of("models/olmoe-tiny/calibration.txt"));
    assertThat(beside.tokenizer()).isEqualTo(Path.of("models/olmoe-tiny/tokenizer.json"));
  }

  @Test
  void aModelWithoutAFolderLiesInTheCurrentOne() {
    assertThat(ModelFolder.of(Path.of("model.onnx")).path()).isEqualTo(Path.of("."));
  }

  @Test
  void saysWhatItLookedFor() {
    assertThatThrownBy(() -> new ModelFolder(folder).calibration())
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("calibration.txt, calibration.jsonl, calibration.npz")
        .hasMessageContaining(folder.toString());
  }

  @Test
  void saysThatTextNeedsATokenizer() {
    assertThatThrownBy(() -> new ModelFolder(folder).tokenizer())
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("text needs a tokenizer");
  }

  @Test
  void namesAConfigThatIsNoJson() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{oops");
    assertThatThrownBy(() -> new ModelFolder(folder).contextLength())
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("config.json");
  }

  @Test
  void theModelIsTheOneThatTheConfigurationNames() throws IOException {
    Files.createFile(folder.resolve("vision.onnx"));
    Path decoder = Files.createFile(folder.resolve("text.onnx"));
    Files.writeString(
        folder.resolve("genai_config.json"),
        "{\"model\": {\"decoder\": {\"filename\": \"text.onnx\"}}}");
    assertThat(new ModelFolder(folder).model(file -> false)).isEqualTo(decoder);
  }

  @Test
  void withoutAConfigurationTheModelIsTheOnlyOne() throws IOException {
    Path only = Files.createFile(folder.resolve("m.onnx"));
    Files.writeString(folder.resolve("genai_config.json"), "{\"model\": {}}");
    assertThat(new ModelFolder(folder).model(file -> false)).isEqualTo(only);
  }

  @Test
  void aRepositoryHoldsItsModelsInAFolderOfTheirOwn() throws IOException {
    Path inner = Files.createDirectory(folder.resolve("onnx"));
    Path whole = Files.createFile(inner.resolve("model.onnx"));
    Files.createFile(inner.resolve("model_q4.onnx"));
    Files.writeString(folder.resolve("config.json"), "{\"max_position_embeddings\": 64}");
    Path tokenizer = Files.createFile(folder.resolve("tokenizer.json"));

    assertThat(new ModelFolder(folder).model(file -> false)).isEqualTo(whole);
    assertThat(ModelFolder.of(whole).tokenizer()).isEqualTo(tokenizer);
    assertThat(ModelFolder.of(whole).contextLength())
        .contains(new ModelFolder.ContextLength(64, folder.resolve("config.json")));
  }

  @Test
  void aModelMaySayMoreThanTheRepositoryAroundIt() throws IOException {
    Path inner = Files.createDirectory(folder.resolve("onnx"));
    Files.createFile(folder.resolve("tokenizer.json"));
    Path nearer = Files.createFile(inner.resolve("tokenizer.json"));
    assertThat(new ModelFolder(inner).tokenizer()).isEqualTo(nearer);
  }

  @Test
  void variantsAreModelsWhereNoneIsWhole() throws IOException {
    Files.createFile(folder.resolve("model_fp16.onnx"));
    Files.createFile(folder.resolve("model_q4.onnx"));
    assertThatThrownBy(() -> new ModelFolder(folder).model(file -> false))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("found model_fp16.onnx, model_q4.onnx");
  }

  @ParameterizedTest
  @ValueSource(strings = {"gone.onnx", "../other.onnx", "sub/model.onnx", ""})
  void aModelThatTheConfigurationNamesLiesBesideIt(String name) throws IOException {
    Files.createFile(folder.resolve("m.onnx"));
    Files.createFile(Files.createDirectory(folder.resolve("sub")).resolve("model.onnx"));
    Files.writeString(
        folder.resolve("genai_config.json"),
        "{\"model\": {\"decoder\": {\"filename\": \"%s\"}}}".formatted(name));
    assertThatThrownBy(() -> new ModelFolder(folder).model(file -> false))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("genai_config.json names the model '" + name + "'");
  }
}
