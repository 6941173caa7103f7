package io.moneonnx.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
}
