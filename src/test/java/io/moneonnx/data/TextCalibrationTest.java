package io.moneonnx.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonParser;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextCalibrationTest {
  private static final Graph MODEL = Fixtures.languageModel(1024, Fixtures.INPUT_IDS);
  private static final ModelFolder FOLDER = ModelFolder.of(Fixtures.MODEL);
  private static final Path HELD_OUT = FOLDER.path().resolve("heldout.txt");
  private static final Path DOCUMENTS = Fixtures.TEXT.resolve("documents.jsonl");

  @TempDir Path folder;

  private static CalibrationOptions cut(int length, OptionalInt blocks, int batch) {
    CalibrationOptions usual = CalibrationOptions.DEFAULT;
    return new CalibrationOptions(
        OptionalInt.of(length), blocks, OptionalInt.of(batch), usual.field(), usual.tokenizer());
  }

  private static Calibration open(Path text, CalibrationOptions options) {
    return open(List.of(text), options);
  }

  private static Calibration open(List<Path> texts, CalibrationOptions options) {
    return Calibration.open(DataSource.untagged(texts), FOLDER, MODEL, options);
  }

  private static List<Map<String, Tensor>> feeds(Calibration calibration) {
    List<Map<String, Tensor>> feeds = new ArrayList<>();
    calibration.forEach(batch -> feeds.add(batch.feeds()));
    return feeds;
  }

  private static long[] tokens(Calibration calibration) {
    return feeds(calibration).stream()
        .flatMapToLong(feed -> LongStream.of(feed.get("input_ids").toLongs()))
        .toArray();
  }

  private static long[] expected(String name) {
    return ArrayFile.read(Fixtures.TEXT.resolve(name + ".npy")).get(name).toLongs();
  }

  @Test
  void tokenisesAsHuggingFaceDoes() {
    long[] expected = expected("heldout.tokens");
    assertThat(tokens(open(HELD_OUT, cut(1, OptionalInt.empty(), 1)))).isEqualTo(expected);
  }

  @Test
  void jsonlLinesAreDocumentsWithEndOfTextBetween() {
    long[] expected = expected("documents.tokens");
    assertThat(tokens(open(DOCUMENTS, cut(1, OptionalInt.empty(), 1)))).isEqualTo(expected);
  }

  @Test
  void theIncompleteTailIsLeftOut() {
    Calibration calibration = open(HELD_OUT, cut(256, OptionalInt.empty(), 1));
    assertThat(calibration.batches()).isEqualTo(21276 / 256);
    assertThat(calibration.tokens()).isEqualTo(21276 / 256 * 256);
    assertThat(calibration.notices()).isEmpty();
  }

  @Test
  void blocksAreStackedAndTheLastBatchIsSmaller() {
    Calibration calibration = open(HELD_OUT, cut(100, OptionalInt.of(5), 2));
    assertThat(calibration.batches()).isEqualTo(3);
    assertThat(feeds(calibration))
        .extracting(feed -> feed.get("input_ids").dims())
        .containsExactly(List.of(2L, 100L), List.of(2L, 100L), List.of(1L, 100L));
  }

  @Test
  void aPartIsSpreadOverAllBatches() {
    Calibration calibration = open(HELD_OUT, cut(100, OptionalInt.of(8), 1));
    List<Map<String, Tensor>> all = feeds(calibration);

    assertThat(calibration.spread(301))
        .map(Batch::feeds)
        .containsExactly(all.get(0), all.get(2), all.get(4), all.get(6));
    assertThat(calibration.spread(1)).hasSize(1);
    assertThat(calibration.spread(9_000)).map(Batch::feeds).isEqualTo(all);
  }

  @Test
  void sequenceLengthIsWhatTheModelTakes() {
    assertThat(feeds(open(HELD_OUT, CalibrationOptions.DEFAULT)).get(0).get("input_ids").dims())
        .containsExactly(1L, 256L);
  }

  @Test
  void aShortTextIsOneShorterBlock() throws IOException {
    Path text = Files.writeString(folder.resolve("short.txt"), "In the beginning");
    Calibration calibration = open(text, cut(256, OptionalInt.empty(), 1));
    assertThat(calibration.batches()).isEqualTo(1);
    assertThat(calibration.tokens()).isBetween(3L, 16L);
    assertThat(calibration.notices()).singleElement().asString().contains("less than one block");
  }

  @Test
  void aShortTextIsRefusedWhereTheLengthIsFixed() throws IOException {
    Path text = Files.writeString(folder.resolve("short.txt"), "In the beginning");
    Graph model =
        Fixtures.graph(Value.of("input_ids", ElementType.INT64, Fixtures.BATCH, Dimension.of(128)));
    assertThatThrownBy(
            () ->
                Calibration.open(
                    DataSource.untagged(List.of(text)), FOLDER, model, CalibrationOptions.DEFAULT))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("less than one block of 128");
  }

  @Test
  void severalFilesAreOneSequence() throws IOException {
    Path first = Files.writeString(folder.resolve("a.txt"), "light");
    Path second = Files.writeString(folder.resolve("b.txt"), "light");
    long[] tokens =
        tokens(
            Calibration.open(
                DataSource.untagged(List.of(first, second)),
                FOLDER,
                MODEL,
                cut(1, OptionalInt.empty(), 1)));
    int half = tokens.length / 2;
    assertThat(tokens[half]).isZero();
    assertThat(LongStream.of(tokens).limit(half).toArray())
        .isEqualTo(LongStream.of(tokens).skip(half + 1).toArray());
  }

  private static String sha256(Path file) throws IOException, GeneralSecurityException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    return HexFormat.of().formatHex(digest.digest(Files.readAllBytes(file)));
  }

  @Test
  void tellsOfDataThatCountTwice() throws IOException {
    Path copy = Files.copy(DOCUMENTS, folder.resolve("copy.jsonl"));

    assertThat(open(List.of(DOCUMENTS), cut(1, OptionalInt.empty(), 1)).notices()).isEmpty();
    assertThat(open(List.of(DOCUMENTS, copy), cut(1, OptionalInt.empty(), 1)).notices())
        .containsExactly(DOCUMENTS + " and " + copy + " hold the same: their tokens count twice");
  }

  @Test
  void saysWhatWasRead() throws IOException, GeneralSecurityException {
    Calibration calibration = open(DOCUMENTS, cut(1, OptionalInt.empty(), 1));
    assertThat(calibration.files())
        .containsExactly(
            new DataFile(
                Optional.empty(),
                DOCUMENTS,
                Files.size(DOCUMENTS),
                sha256(DOCUMENTS),
                expected("documents.tokens").length));
  }

  @Test
  void inputsOfTokensAreInTheDeclaredType() {
    Graph model =
        Fixtures.graph(Value.of("input_ids", ElementType.INT32, Fixtures.BATCH, Fixtures.SEQUENCE));
    Calibration calibration =
        Calibration.open(
            DataSource.untagged(List.of(DOCUMENTS)), FOLDER, model, CalibrationOptions.DEFAULT);
    assertThat(feeds(calibration).get(0).get("input_ids").type()).isEqualTo(ElementType.INT32);
  }

  @Test
  void textDoesNotSufficeForAModelThatWantsMore() {
    Value image = Value.of("pixels", ElementType.FLOAT, Fixtures.BATCH, Dimension.of(3));
    Graph model = Fixtures.graph(Fixtures.INPUT_IDS, image);
    assertThatThrownBy(
            () ->
                Calibration.open(
                    DataSource.untagged(List.of(HELD_OUT)),
                    FOLDER,
                    model,
                    CalibrationOptions.DEFAULT))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("'pixels' float[batch, 3] is not fed");
  }

  @Test
  void whatFollowsFromTheTokensOfAnExcerptFitsThem() {
    Value mask =
        Value.of("attention_mask", ElementType.INT64, Fixtures.BATCH, Dimension.of("total"));
    Value past =
        Value.of(
            "past_key_values.0.key",
            ElementType.FLOAT,
            Fixtures.BATCH,
            Dimension.of(1),
            Dimension.of(2),
            Dimension.of(4));
    Calibration calibration =
        Calibration.open(
            DataSource.untagged(List.of(HELD_OUT)),
            FOLDER,
            Fixtures.graph(Fixtures.INPUT_IDS, mask, past),
            CalibrationOptions.DEFAULT);
    Map<String, Tensor> excerpt = calibration.excerpts(5).findFirst().orElseThrow();
    assertThat(excerpt.get("input_ids").dims()).containsExactly(1L, 5L);
    assertThat(excerpt.get("attention_mask").toLongs()).containsExactly(0, 0, 1, 1, 1, 1, 1);
  }

  @Test
  void aModelWithoutTokensTakesNoText() {
    Graph model = Fixtures.graph(Value.of("pixels", ElementType.FLOAT, Fixtures.BATCH));
    assertThatThrownBy(
            () ->
                Calibration.open(
                    DataSource.untagged(List.of(HELD_OUT)),
                    FOLDER,
                    model,
                    CalibrationOptions.DEFAULT))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("heldout.txt is text, but the model has no input_ids");
  }

  @Test
  void aModelOfEmbeddedTokensTakesNoText() {
    Graph model =
        Fixtures.graph(
            Value.of(
                "inputs_embeds",
                ElementType.FLOAT,
                Fixtures.BATCH,
                Fixtures.SEQUENCE,
                Dimension.of(8)));
    assertThatThrownBy(
            () ->
                Calibration.open(
                    DataSource.untagged(List.of(HELD_OUT)),
                    FOLDER,
                    model,
                    CalibrationOptions.DEFAULT))
        .isInstanceOf(BadInputException.class)
        .hasMessageEndingWith(
            "heldout.txt is text, but the model takes embedded tokens: "
                + "give an array 'inputs_embeds' in a .npz file");
  }

  @Test
  void anotherModelsTokenizerIsNoticed() {
    Graph small = Fixtures.languageModel(160, Fixtures.INPUT_IDS);
    assertThatThrownBy(
            () ->
                Calibration.open(
                    DataSource.untagged(List.of(HELD_OUT)),
                    FOLDER,
                    small,
                    CalibrationOptions.DEFAULT))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("knows ids below 160");
  }

  @Test
  void aLineWithoutTheFieldIsNamed() throws IOException {
    Path lines =
        Files.writeString(folder.resolve("x.jsonl"), "{\"text\": \"a\"}\n\n{\"body\": \"b\"}\n");
    assertThatThrownBy(() -> open(lines, CalibrationOptions.DEFAULT))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("x.jsonl:3: found no text in field 'text'");
  }

  @Test
  void aLineThatIsNoJsonIsNamed() throws IOException {
    Path lines = Files.writeString(folder.resolve("x.jsonl"), "{\"text\": \"a\"}\n{\"text\": ");
    assertThatThrownBy(() -> open(lines, CalibrationOptions.DEFAULT))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("x.jsonl:2: no readable JSON");
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private long[] tokensOf(Path file) {
    return tokens(open(file, cut(1, OptionalInt.empty(), 1)));
  }

  @Test
  void jsonRecordsAreDocumentsHoweverTheyAreWritten() throws IOException {
    String lines = Files.readString(DOCUMENTS);
    List<String> records = lines.lines().filter(line -> !line.isBlank()).toList();
    String array = "[" + String.join(",\n", records) + "]";
    String texts =
        records.stream()
            .map(record -> JsonParser.parseString(record).getAsJsonObject().get("text").toString())
            .collect(Collectors.joining(", ", " \n[", "]\n"));
    long[] expected = expected("documents.tokens");

    assertThat(tokensOf(file("lines.ndjson", lines))).isEqualTo(expected);
    assertThat(tokensOf(file("LINES.JSONL", lines))).isEqualTo(expected);
    assertThat(tokensOf(file("lines.json", lines))).isEqualTo(expected);
    assertThat(tokensOf(file("array.json", array))).isEqualTo(expected);
    assertThat(tokensOf(file("texts.json", texts))).isEqualTo(expected);
  }

  @Test
  void noMoreOfAnArrayIsReadThanIsAskedFor() throws IOException {
    Path cut = file("x.json", "[\"In the beginning God created\", \"And the earth was\", {");

    assertThat(open(cut, cut(4, OptionalInt.of(1), 1)).tokens()).isEqualTo(4);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[{\"text\": \"a\"}, {\"body\": \"b\"}]|x.json: [1]: found no text in field 'text'",
        "[\"a\", 5]|x.json: [1]: found no text in field 'text'",
        "[\"a\", {\"text\": |x.json: [1]: no readable JSON",
        "[\"a\", \"b\"|x.json: [1]: no readable JSON",
        "[\"a\"] \"b\"|x.json: ",
        "{\"data\": [\"a\"]}|x.json:1: found no text in field 'text'",
        "prose|x.json: expected a JSON array",
        "[]|x.json holds no text",
        "[{\"messages\": [{\"role\": \"user\"}]}]|x.json: [0]: is a chat, expected a chat template",
        "{\"text\": [{\"role\": \"user\"}]}|apply_chat_template",
      })
  void jsonThatHoldsNoTextIsRefused(String json, String message) throws IOException {
    Path file = file("x.json", json);

    assertThatThrownBy(() -> open(file, CalibrationOptions.DEFAULT))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining(message);
  }

  private static CalibrationOptions field(String name) {
    CalibrationOptions usual = cut(1, OptionalInt.empty(), 1);
    return new CalibrationOptions(
        usual.sequenceLength(),
        usual.blocks(),
        usual.batch(),
        Optional.of(name),
        usual.tokenizer());
  }

  @Test
  void aColumnOfATableHoldsDocuments() throws IOException {
    List<String> texts =
        Files.readAllLines(DOCUMENTS).stream()
            .filter(line -> !line.isBlank())
            .map(line -> JsonParser.parseString(line).getAsJsonObject().get("text").getAsString())
            .map(text -> '"' + text.replace("\"", "\"\"") + '"')
            .toList();
    String one = "body\r\n" + String.join("\r\n\r\n", texts);
    String three =
        texts.stream()
            .map(text -> "1," + text + ",\"x,y\"\n")
            .collect(Collectors.joining("", "\uFEFFid,body,label\n", "2,,z\n"));
    long[] expected = expected("documents.tokens");

    assertThat(tokensOf(file("one.csv", one))).isEqualTo(expected);
    assertThat(tokens(open(file("three.csv", three), field("body")))).isEqualTo(expected);
    assertThat(tokensOf(file("text.csv", three.replace("id,body", "id,text")))).isEqualTo(expected);
    assertThat(tokens(open(file("one.TSV", one), field("body")))).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a,b;1,2|x.csv: found no column 'body', expected one; its columns are a, b",
        "body,body;1,2|x.csv: found more than one column 'body'",
        "body,b;1,2;1,2,3|x.csv: row 3: found 3 values, expected 2",
        "body,b;1,2;\"1\"x,2|x.csv: row 3: is no row of a table",
        "body,b;1,2;\"1,2|x.csv: row 3: is no row of a table",
        "body,b;,2|x.csv holds no text",
      })
  void aTableThatHoldsNoSuchColumnIsRefused(String table, String message) throws IOException {
    Path file = file("x.csv", table.replace(';', '\n'));

    assertThatThrownBy(() -> open(file, field("body")))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining(message);
  }

  /** Words in one line, and a word without an end, in pieces that the tokenizer can hold. */
  @ParameterizedTest
  @ValueSource(strings = {"ab", "ab cd ", "\uD83D\uDE00"})
  void textWithoutALineIsCut(String part) throws IOException {
    String text = "x" + part.repeat(3_000_000 / part.length());
    Path file = Files.writeString(folder.resolve("endless.txt"), text);
    List<String> pieces = new ArrayList<>();
    TextSink sink =
        new TextSink() {
          @Override
          public boolean isFull() {
            return false;
          }

          @Override
          public void add(String piece) {
            pieces.add(piece);
          }

          @Override
          public void endDocument() {}
        };

    new TextFile(file, Optional.empty(), new ChatTemplate(folder)).readInto(sink);

    assertThat(pieces).hasSizeGreaterThan(1).allMatch(piece -> piece.length() <= (2 << 20) + 1);
    assertThat(String.join("", pieces)).isEqualTo(text);
    assertThat(pieces).noneMatch(piece -> Character.isLowSurrogate(piece.charAt(0)));
    assertThat(pieces.get(1).charAt(0) == ' ').isEqualTo(part.contains(" "));
  }

  @Test
  void emptyTextIsRefused() throws IOException {
    Path empty = Files.writeString(folder.resolve("empty.txt"), "");
    assertThatThrownBy(() -> open(empty, CalibrationOptions.DEFAULT))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("empty.txt holds no text");
  }

  @Test
  void bytesThatAreNoTextAreRefused() throws IOException {
    Path binary = Files.write(folder.resolve("x.txt"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
    assertThatThrownBy(() -> open(binary, CalibrationOptions.DEFAULT))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("x.txt is no text in UTF-8");
  }

  @Test
  void aMissingFileIsRefused() {
    assertThatThrownBy(() -> open(folder.resolve("none.txt"), CalibrationOptions.DEFAULT))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("none.txt: no such file");
  }

  @Test
  void aBrokenTokenizerIsNamed() throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), "{\"added_tokens\": []}");
    assertThatThrownBy(
            () ->
                Calibration.open(
                    DataSource.untagged(List.of(DOCUMENTS)),
                    new ModelFolder(folder),
                    MODEL,
                    CalibrationOptions.DEFAULT))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("tokenizer.json is no readable Hugging Face tokenizer");
  }

  @Test
  void longDocumentsAreCutWhereTokensStayTheSame() throws IOException {
    String line = "And God said, Let there be light: and there was light.\n";
    String text = line.repeat((5 << 19) / line.length());
    Path file = Files.writeString(folder.resolve("long.txt"), text);
    long[] tokens = tokens(open(file, cut(256, OptionalInt.empty(), 64)));
    int period =
        tokens(
                open(
                    Files.writeString(folder.resolve("line.txt"), line),
                    cut(1, OptionalInt.empty(), 1)))
            .length;
    for (int i = period; i < tokens.length; i++) {
      assertThat(tokens[i]).isEqualTo(tokens[i - period]);
    }
  }
}
