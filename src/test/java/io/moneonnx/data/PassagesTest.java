package io.moneonnx.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Value;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PassagesTest {
  private static final Graph MODEL = Fixtures.languageModel(1024, Fixtures.INPUT_IDS);
  private static final ModelFolder FOLDER = ModelFolder.of(Fixtures.MODEL);
  private static final String END = "<|endoftext|>";
  private static final String MANY_BYTES = "naïve: 光あれ, she said 😀 and wept.\n";

  @TempDir Path folder;

  private final List<String> notices = new ArrayList<>();

  private static PassageOptions options(int window, int stride, int batch) {
    return new PassageOptions(
        new CalibrationOptions(
            OptionalInt.of(window),
            OptionalInt.empty(),
            OptionalInt.of(batch),
            Optional.empty(),
            Optional.empty()),
        OptionalInt.of(stride),
        Optional.empty());
  }

  private static PassageOptions usual(Optional<String> prefix) {
    return new PassageOptions(CalibrationOptions.DEFAULT, OptionalInt.empty(), prefix);
  }

  private static PassageOptions limited(int windows) {
    CalibrationOptions reading =
        new CalibrationOptions(
            OptionalInt.empty(),
            OptionalInt.of(windows),
            OptionalInt.empty(),
            Optional.empty(),
            Optional.empty());
    return new PassageOptions(reading, OptionalInt.empty(), Optional.empty());
  }

  private List<Passage> read(Graph model, PassageOptions options, Path... files) {
    List<Passage> found = new ArrayList<>();
    Passages.open(DataSource.untagged(List.of(files)), FOLDER, model, options)
        .forEach(found::add, notices::add);
    return found;
  }

  private static List<List<Long>> shapes(List<Passage> passages) {
    return passages.stream().map(passage -> passage.next().dims()).toList();
  }

  private static long bytes(List<Passage> passages) {
    return passages.stream()
        .flatMap(passage -> passage.rows().stream())
        .mapToLong(row -> row.bytes().orElseThrow())
        .sum();
  }

  private static int counted(List<Passage> passages) {
    return passages.stream()
        .flatMap(passage -> passage.rows().stream())
        .mapToInt(row -> row.counts().cardinality())
        .sum();
  }

  private Path text(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private static int length(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  @Test
  void theBytesOfAllTokensAreThoseOfTheText() throws IOException {
    Path text = text("a.txt", MANY_BYTES);

    assertThat(bytes(read(MODEL, usual(Optional.of(END)), text))).isEqualTo(length(MANY_BYTES));
  }

  @Test
  void theFirstTokensBytesCountOnlyBehindAPrefix() throws IOException {
    Path text = text("a.txt", MANY_BYTES);

    List<Passage> without = read(MODEL, usual(Optional.empty()), text);
    List<Passage> with = read(MODEL, usual(Optional.of(END)), text);

    assertThat(bytes(with) - bytes(without)).isBetween(1L, (long) length("naïve"));
    assertThat(counted(with) - counted(without)).isOne();
  }

  @Test
  void bytesSumToTheTextWhereverItIsCut() throws IOException {
    Path text = text("a.txt", MANY_BYTES.repeat(5));
    long wanted = bytes(read(MODEL, usual(Optional.empty()), text));

    for (int window = 1; window < 12; window++) {
      for (int stride = 1; stride <= window; stride++) {
        assertThat(bytes(read(MODEL, options(window, stride, 2), text))).isEqualTo(wanted);
      }
    }
  }

  @Test
  void aPrefixIsOneTokenThatTheModelSees() throws IOException {
    Path text = text("a.txt", "Let there be light");

    Passage passage = read(MODEL, usual(Optional.of(END)), text).get(0);

    assertThat(passage.feeds().get("input_ids").toLongs()[0]).isZero();
    assertThatThrownBy(() -> read(MODEL, usual(Optional.of("no token")), text))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("'no token' is ")
        .hasMessageContaining("expected one");
  }

  @Test
  void eachLineOfJsonlIsATextByItself() throws IOException {
    Path lines = text("a.jsonl", "{\"text\": \"Let there be\"}\n{\"text\": \"Let there be\"}\n");

    List<Passage> passages = read(MODEL, usual(Optional.empty()), lines);

    assertThat(passages).hasSize(2);
    assertThat(passages.get(0).feeds().get("input_ids").toLongs())
        .isEqualTo(passages.get(1).feeds().get("input_ids").toLongs());
  }

  @Test
  void filesOfATagAreTextsByThemselvesWithOneName() throws IOException {
    Path text = text("a.txt", "Let there be light");
    Path other = text("b.txt", "and there was light");
    List<Passage> found = new ArrayList<>();
    List<DataSource> tagged =
        List.of(
            new DataSource(Optional.of("kjv"), text), new DataSource(Optional.of("kjv"), other));

    Passages.open(tagged, FOLDER, MODEL, usual(Optional.empty())).forEach(found::add, notices::add);

    assertThat(found).hasSize(2).extracting(Passage::source).containsOnly("kjv");
  }

  @Test
  void windowsOfOneLengthAreRunTogether() {
    Path text = FOLDER.path().resolve("heldout.txt");

    List<Passage> passages = read(MODEL, options(256, 256, 8), text);

    assertThat(shapes(passages)).hasSize(11).contains(List.of(8L, 256L), List.of(4L, 256L));
    assertThat(counted(passages)).isEqualTo(21276 - 1);
  }

  @Test
  void windowsOfOtherLengthsAreRunByThemselves() throws IOException {
    Path lines =
        text(
            "a.jsonl",
            "{\"text\": \"light light\"}\n{\"text\": \"light light\"}\n{\"text\": \"light\"}\n");

    assertThat(shapes(read(MODEL, options(256, 256, 8), lines)))
        .hasSize(2)
        .extracting(dims -> dims.get(0))
        .containsExactly(2L, 1L);
  }

  @Test
  void aLimitStopsReading() throws IOException {
    Path lines = text("a.jsonl", "{\"text\": \"Let there be light\"}\nno JSON\n");

    assertThat(read(MODEL, limited(1), lines)).hasSize(1);
  }

  @Test
  void textsOfOneTokenAreToldOf() throws IOException {
    Path lines = text("a.jsonl", "{\"text\": \"a\"}\n{\"text\": \"Let there be light\"}\n");

    assertThat(read(MODEL, usual(Optional.empty()), lines)).hasSize(1);
    assertThat(notices).singleElement().asString().contains("1 of 2 texts are one token");
    assertThat(read(MODEL, usual(Optional.of(END)), lines)).hasSize(2);
    assertThat(notices).hasSize(1);
  }

  @Test
  void aTextOfOneTokenHoldsNothingToForesee() throws IOException {
    Path text = text("a.txt", "a");

    assertThatThrownBy(() -> read(MODEL, usual(Optional.empty()), text))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("a.txt: 1 of 1 texts are one token");
  }

  @Test
  void anEmptyFileIsRefused() throws IOException {
    Path text = text("a.txt", "");

    assertThatThrownBy(() -> read(MODEL, usual(Optional.of(END)), text))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("a.txt holds no text");
  }

  @Test
  void aTokenizerOfAnotherModelIsNoticed() {
    Graph small = Fixtures.languageModel(160, Fixtures.INPUT_IDS);
    Path text = FOLDER.path().resolve("heldout.txt");

    assertThatThrownBy(() -> read(small, usual(Optional.empty()), text))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("knows ids below 160");
  }

  private static Graph fixed(long batch, long sequence) {
    return Fixtures.languageModel(
        1024,
        Value.of("input_ids", ElementType.INT64, Dimension.of(batch), Dimension.of(sequence)));
  }

  @Test
  void everyRunHasTheShapeThatTheModelFixes() {
    Path text = FOLDER.path().resolve("heldout.txt");

    List<Passage> passages = read(fixed(4, 50), usual(Optional.empty()), text);

    assertThat(shapes(passages)).hasSize(107).containsOnly(List.of(4L, 50L));
    assertThat(passages.get(106).rows()).hasSize(426 - 106 * 4);
    assertThat(counted(passages)).isEqualTo(21276 - 1);
  }

  @Test
  void aTextThatIsTooShortForTheModelIsRefused() throws IOException {
    Path text = text("a.txt", "Let there be light");

    assertThatThrownBy(() -> read(fixed(1, 50), usual(Optional.empty()), text))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("a.txt: a text of ")
        .hasMessageContaining("expected more than 50");
  }

  private Path arrays(String rows, String mask) throws IOException {
    return Fixtures.npz(
        folder.resolve("a.npz"),
        Map.of(
            "input_ids", Fixtures.longs("(3, 4)", numbers(rows)),
            "attention_mask", Fixtures.longs("(3, 4)", numbers(mask))));
  }

  private static long[] numbers(String text) {
    return List.of(text.split("[ ,]+")).stream().mapToLong(Long::parseLong).toArray();
  }

  private static Graph masked(Dimension batch) {
    return Fixtures.languageModel(
        1024,
        Value.of("input_ids", ElementType.INT64, batch, Fixtures.SEQUENCE),
        Value.of("attention_mask", ElementType.INT64, batch, Fixtures.SEQUENCE));
  }

  @Test
  void tokensThatAMaskHidesDoNotCount() throws IOException {
    Path file = arrays("1 2 3 4, 5 6 7 8, 9 10 11 12", "0 1 1 1, 1 1 0 1, 1 1 1 1");

    List<Passage> passages = read(masked(Fixtures.BATCH), usual(Optional.empty()), file);

    assertThat(passages).hasSize(3);
    assertThat(passages.stream().map(passage -> passage.rows().get(0).counts().toString()))
        .containsExactly("{1, 2}", "{0}", "{0, 1, 2}");
    assertThat(passages.get(0).next().toLongs()).startsWith(2, 3, 4);
    assertThat(passages.get(0).rows().get(0).bytes()).isEqualTo(OptionalLong.empty());
  }

  @Test
  void rowsThatFillABatchDoNotCountTwice() throws IOException {
    Path file = arrays("1 2 3 4, 5 6 7 8, 9 10 11 12", "1 1 1 1, 1 1 1 1, 1 1 1 1");

    List<Passage> passages = read(masked(Dimension.of(2)), usual(Optional.empty()), file);

    assertThat(shapes(passages)).containsExactly(List.of(2L, 4L), List.of(2L, 4L));
    assertThat(passages.get(1).feeds().get("input_ids").toLongs())
        .containsExactly(5, 6, 7, 8, 9, 10, 11, 12);
    assertThat(passages.get(1).rows())
        .extracting(row -> row.counts().cardinality())
        .containsExactly(0, 3);
  }

  @Test
  void arraysHaveNoUseForAStride() throws IOException {
    Path file = arrays("1 2 3 4, 5 6 7 8, 9 10 11 12", "1 1 1 1, 1 1 1 1, 1 1 1 1");

    assertThatThrownBy(() -> read(masked(Fixtures.BATCH), options(4, 2, 1), file))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("go with text");
  }
}
