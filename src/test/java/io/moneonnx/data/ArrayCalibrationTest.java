package io.moneonnx.data;

import static io.moneonnx.data.Fixtures.BATCH;
import static io.moneonnx.data.Fixtures.INPUT_IDS;
import static io.moneonnx.data.Fixtures.SEQUENCE;
import static io.moneonnx.data.Fixtures.floats;
import static io.moneonnx.data.Fixtures.longs;
import static io.moneonnx.data.Fixtures.npz;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArrayCalibrationTest {
  private static final Graph TEXT_MODEL = Fixtures.languageModel(100, INPUT_IDS);
  private static final Graph MODEL =
      Fixtures.graph(
          Value.of("image", ElementType.FLOAT, BATCH, Dimension.of(2)),
          Value.of("size", ElementType.INT32, BATCH));

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("data.npz");
  }

  private Calibration open(Graph model, CalibrationOptions options) {
    return Calibration.open(
        DataSource.untagged(List.of(file)), new ModelFolder(folder), model, options);
  }

  private Calibration open(Graph model) {
    return open(model, CalibrationOptions.DEFAULT);
  }

  private static CalibrationOptions options(OptionalInt samples, OptionalInt batch) {
    return new CalibrationOptions(
        OptionalInt.empty(), samples, batch, Optional.empty(), Optional.empty());
  }

  private static List<Map<String, Tensor>> feeds(Calibration calibration) {
    List<Map<String, Tensor>> feeds = new ArrayList<>();
    calibration.forEach(batch -> feeds.add(batch.feeds()));
    return feeds;
  }

  @Test
  void samplesAreFedByName() throws IOException {
    npz(file, Map.of("image", floats("(2, 2)", 1, 2, 3, 4), "size", longs("(2,)", 7, 8)));
    List<Map<String, Tensor>> feeds = feeds(open(MODEL));
    assertThat(feeds).hasSize(2);
    assertThat(feeds.get(1).get("image").toFloats()).containsExactly(3, 4);
    assertThat(feeds.get(1).get("size"))
        .isEqualTo(Elements.ofLongs(ElementType.INT32, List.of(1L), new long[] {8}));
  }

  @Test
  void samplesAreStackedAndLimited() throws IOException {
    npz(file, Map.of("input_ids", longs("(4, 1)", 1, 2, 3, 4)));
    Calibration calibration = open(TEXT_MODEL, options(OptionalInt.of(3), OptionalInt.of(2)));
    assertThat(calibration.samples()).isEqualTo(3);
    assertThat(calibration.tokens()).isEqualTo(3);
    assertThat(feeds(calibration))
        .extracting(feed -> feed.get("input_ids").toLongs())
        .containsExactly(new long[] {1, 2}, new long[] {3});
  }

  @Test
  void oneTokenOverAndOverIsWarnedOf() throws IOException {
    npz(file, Map.of("input_ids", longs("(2, 3)", 7, 7, 7, 7, 8, 9)));
    assertThat(open(TEXT_MODEL).warnings())
        .containsExactly(
            "WARNING: %s: 4 of 6 tokens (66.7%%) are token 7 over and over: expected data like what"
                    .formatted(file)
                + " the model is used on");
    assertThat(open(TEXT_MODEL).notices()).containsAll(open(TEXT_MODEL).warnings());

    npz(file, Map.of("input_ids", longs("(2, 3)", 7, 7, 7, 6, 8, 9)));
    assertThat(open(TEXT_MODEL).warnings()).isEmpty();
  }

  @Test
  void storedEntriesAreReadToo() throws IOException {
    Files.write(file, Fixtures.storedZip("input_ids.npy", longs("(1, 2)", 5, 6)));
    assertThat(feeds(open(TEXT_MODEL)).get(0).get("input_ids").toLongs()).containsExactly(5, 6);
  }

  @Test
  void aSingleArrayFeedsTheSingleInputWhateverItsName() throws IOException {
    npz(file, Map.of("arr_0", longs("(1, 2)", 5, 6)));
    assertThat(feeds(open(TEXT_MODEL)).get(0)).containsOnlyKeys("input_ids");
  }

  @Test
  void anNpyFileFeedsTheSingleInput() throws IOException {
    file = Files.write(folder.resolve("tokens.npy"), longs("(1, 2)", 5, 6));
    assertThat(feeds(open(TEXT_MODEL)).get(0)).containsOnlyKeys("input_ids");
  }

  @Test
  void whatIsLeftOutIsFilled() throws IOException {
    Value mask = Value.of("attention_mask", ElementType.INT64, BATCH, SEQUENCE);
    npz(file, Map.of("input_ids", longs("(1, 2)", 5, 6)));
    assertThat(feeds(open(Fixtures.graph(INPUT_IDS, mask))).get(0).get("attention_mask").toLongs())
        .containsExactly(1, 1);
  }

  @Test
  void unknownArraysAreRefusedWithTheModelsInputs() throws IOException {
    npz(file, Map.of("image", floats("(1, 2)", 1, 2), "label", longs("(1,)", 7)));
    assertThatThrownBy(() -> open(MODEL))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("array 'label' is no input of the model")
        .hasMessageContaining("'image' float[batch, 2], 'size' int32[batch]");
  }

  @Test
  void aMissingArrayIsNamed() throws IOException {
    npz(file, Map.of("image", floats("(1, 2)", 1, 2)));
    assertThatThrownBy(() -> open(MODEL))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("'size' int32[batch] is not fed");
  }

  @Test
  void arraysOfDifferentLengthsAreRefused() throws IOException {
    npz(file, Map.of("image", floats("(1, 2)", 1, 2), "size", longs("(2,)", 7, 8)));
    assertThatThrownBy(() -> open(MODEL))
        .isInstanceOf(BadInputException.class)
        .hasMessageMatching(".*holds [12] samples, '(image|size)' holds [12]");
  }

  @Test
  void aShapeThatTheModelDoesNotTakeIsRefused() throws IOException {
    npz(file, Map.of("image", floats("(1, 3)", 1, 2, 3)));
    assertThatThrownBy(() -> open(MODEL))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("array 'image' has shape [1, 3]")
        .hasMessageContaining("'image' float[batch, 2]");
  }

  @Test
  void aLossyTypeIsRefused() throws IOException {
    npz(file, Map.of("size", longs("(1,)", 1L << 40)));
    assertThatThrownBy(() -> open(MODEL))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("array 'size' is int64, which does not become int32");
  }

  @Test
  void tokensBeyondTheVocabularyAreRefused() throws IOException {
    npz(file, Map.of("input_ids", longs("(1, 2)", 99, 100)));
    assertThatThrownBy(() -> open(TEXT_MODEL))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("array 'input_ids' holds the token id 100, expected 0 to 99");
  }

  @Test
  void negativeTokensAreRefused() throws IOException {
    npz(file, Map.of("input_ids", longs("(1, 2)", 0, -1)));
    assertThatThrownBy(() -> open(Fixtures.graph(INPUT_IDS)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("token id -1, expected 0 or more");
  }

  @Test
  void noSamplesAreRefused() throws IOException {
    npz(file, Map.of("input_ids", longs("(0, 2)")));
    assertThatThrownBy(() -> open(TEXT_MODEL)).hasMessageContaining("holds no samples");
  }

  @Test
  void aFixedBatchLeavesTheRestOut() throws IOException {
    Graph model =
        Fixtures.graph(Value.of("input_ids", ElementType.INT64, Dimension.of(2), SEQUENCE));
    npz(file, Map.of("input_ids", longs("(3, 1)", 1, 2, 3)));
    Calibration calibration = open(model);
    assertThat(calibration.batches()).isEqualTo(1);
    assertThat(calibration.tokens()).isEqualTo(2);
    assertThat(calibration.notices()).singleElement().asString().contains("samples left out: 1");
  }

  @Test
  void anotherBatchThanTheModelFixesIsRefused() throws IOException {
    Graph model =
        Fixtures.graph(Value.of("input_ids", ElementType.INT64, Dimension.of(1), SEQUENCE));
    npz(file, Map.of("input_ids", longs("(3, 1)", 1, 2, 3)));
    assertThatThrownBy(() -> open(model, options(OptionalInt.empty(), OptionalInt.of(4))))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("batch size 4, but the model takes exactly 1");
  }

  @Test
  void whatIsNoArchiveIsRefused() throws IOException {
    Files.writeString(file, "text");
    assertThatThrownBy(() -> open(TEXT_MODEL))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("data.npz is no readable .npz archive");
  }

  @Test
  void zeroBlocksAreRefused() {
    assertThatThrownBy(() -> options(OptionalInt.of(0), OptionalInt.empty()))
        .isInstanceOf(BadInputException.class)
        .hasMessage("number of blocks: found 0, expected 1 or more");
  }
}
