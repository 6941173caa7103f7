package io.moneonnx.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Value;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SequenceLengthTest {
  @TempDir Path folder;

  private int choose(OptionalInt asked, Value input) {
    return SequenceLength.choose(
        asked, ModelInputs.of(Fixtures.graph(input)), new ModelFolder(folder));
  }

  private static Value fixed(long length) {
    return Value.of("input_ids", ElementType.INT64, Fixtures.BATCH, Dimension.of(length));
  }

  @Test
  void isAsPublishedWhereNothingIsKnown() {
    assertThat(choose(OptionalInt.empty(), Fixtures.INPUT_IDS)).isEqualTo(4096);
  }

  @Test
  void isWhatHuggingFaceConfigAllows() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{\"max_position_embeddings\": 256}");
    assertThat(choose(OptionalInt.empty(), Fixtures.INPUT_IDS)).isEqualTo(256);
  }

  @Test
  void isWhatGenaiConfigAllows() throws IOException {
    Files.writeString(
        folder.resolve("genai_config.json"), "{\"model\": {\"context_length\": 512}}");
    assertThat(choose(OptionalInt.empty(), Fixtures.INPUT_IDS)).isEqualTo(512);
  }

  @Test
  void isAsPublishedWhereTheModelTakesMore() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{\"max_position_embeddings\": 131072}");
    assertThat(choose(OptionalInt.empty(), Fixtures.INPUT_IDS)).isEqualTo(4096);
    assertThat(choose(OptionalInt.of(8192), Fixtures.INPUT_IDS)).isEqualTo(8192);
  }

  @Test
  void isWhatTheGraphFixes() {
    assertThat(choose(OptionalInt.empty(), fixed(128))).isEqualTo(128);
  }

  @Test
  void refusesMoreThanTheModelTakes() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{\"max_position_embeddings\": 256}");
    assertThatThrownBy(() -> choose(OptionalInt.of(512), Fixtures.INPUT_IDS))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("512")
        .hasMessageContaining("256")
        .hasMessageContaining("config.json");
  }

  @Test
  void refusesAnotherLengthThanTheGraphFixes() {
    assertThatThrownBy(() -> choose(OptionalInt.of(64), fixed(128)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("64")
        .hasMessageContaining("exactly 128");
  }
}
