package io.moneonnx.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChoiceFileTest {
  private static final String ITEM =
      "{\"context\": \"Two and two are\", \"choices\": [\"four\", \"five\"], \"label\": 0}";

  @TempDir Path folder;

  private Path write(String... lines) throws IOException {
    return Files.write(folder.resolve("sums.jsonl"), List.of(lines));
  }

  private static List<ChoiceItem> read(Path path, int limit) {
    List<ChoiceItem> items = new ArrayList<>();
    try (ChoiceFile file = ChoiceFile.open(path, limit)) {
      file.forEachRemaining(items::add);
    }
    return items;
  }

  @Test
  void eachLineIsAnItem() throws IOException {
    Path path =
        write(
            "{\"context\": \"Is it\", \"choices\": [\"so\", \"🙂?\"], \"label\": 1,"
                + " \"delimiter\": \"\", \"group\": \"moods\", \"id\": 7}",
            "",
            ITEM);

    List<ChoiceItem> items = read(path, 9);

    assertThat(items)
        .containsExactly(
            new ChoiceItem(
                path + ":1", List.of("Is it", "Is it"), List.of("so", "🙂?"), "", 1, "moods"),
            new ChoiceItem(
                path + ":3",
                List.of("Two and two are", "Two and two are"),
                List.of("four", "five"),
                " ",
                0,
                "sums"));
    assertThat(items.get(0).length(1)).isEqualTo(2);
    assertThat(items.get(1).continuation(1)).isEqualTo(" five");
  }

  @Test
  void everyChoiceMayHaveItsOwnContext() throws IOException {
    Path path =
        write("{\"context\": [\"A\", \"B\"], \"choices\": [\"runs\", \"runs\"], \"label\": 1}");

    assertThat(read(path, 1).get(0).contexts()).containsExactly("A", "B");
  }

  @Test
  void theLimitIsReadAndNotMore() throws IOException {
    Path path = write(ITEM, ITEM, "nothing of the kind");

    assertThat(read(path, 2)).hasSize(2);
    assertThat(ChoiceFile.count(path, 2)).isEqualTo(2);
    assertThatThrownBy(() -> ChoiceFile.count(path, 3)).hasMessageContaining(path + ":3: ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "[1]|found [1], expected {\"context\"",
        "{\"context\": |no readable JSON",
        "{\"choices\": [\"a\", \"b\"], \"label\": 0}|'context': found nothing, expected a text, or a list of 2",
        "{\"context\": 5, \"choices\": [\"a\", \"b\"], \"label\": 0}|'context': found 5, expected a text",
        "{\"context\": [\"x\"], \"choices\": [\"a\", \"b\"], \"label\": 0}|'context': found [\"x\"], expected a text, or a list of 2",
        "{\"context\": [\"x\", 1], \"choices\": [\"a\", \"b\"], \"label\": 0}|'context': found",
        "{\"context\": \" \\n\", \"choices\": [\"a\", \"b\"], \"label\": 0}|'context': found \" \\n\", expected text, or nothing",
        "{\"context\": \"x\", \"choices\": \"ab\", \"label\": 0}|'choices': found \"ab\", expected a list of two or more texts",
        "{\"context\": \"x\", \"choices\": [\"a\"], \"label\": 0}|'choices': found [\"a\"], expected two or more texts",
        "{\"context\": \"x\", \"choices\": [\"a\", \"\"], \"label\": 0}|'choices': found [\"a\",\"\"], expected two or more texts, none of them empty",
        "{\"context\": \"x\", \"choices\": [\"a\", null], \"label\": 0}|'choices': found",
        "{\"context\": \"x\", \"choices\": [\"a\", \"b\"]}|'label': found nothing, expected the number of a choice, 0 to 1",
        "{\"context\": \"x\", \"choices\": [\"a\", \"b\"], \"label\": 2}|'label': found 2, expected the number of a choice, 0 to 1",
        "{\"context\": \"x\", \"choices\": [\"a\", \"b\"], \"label\": -1}|'label': found -1",
        "{\"context\": \"x\", \"choices\": [\"a\", \"b\"], \"label\": 0.5}|'label': found 0.5",
        "{\"context\": \"x\", \"choices\": [\"a\", \"b\"], \"label\": \"0\"}|'label': found \"0\"",
        "{\"context\": \"x\", \"choices\": [\"a\", \"b\"], \"label\": 0, \"delimiter\": 1}|'delimiter': found 1, expected a text",
        "{\"context\": \"x\", \"choices\": [\"a\", \"b\"], \"label\": 0, \"group\": [1]}|'group': found [1], expected a text",
      })
  void whatIsNoItemIsNamedWithItsLine(String line, String message) throws IOException {
    Path path = write(ITEM, line);

    assertThatThrownBy(() -> read(path, 9))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith(path + ":2: ")
        .hasMessageContaining(message);
  }

  @Test
  void filesWithoutItemsAreRefused() throws IOException {
    Path empty = write("", " ");

    assertThatThrownBy(() -> ChoiceFile.open(empty, 1)).hasMessage(empty + ": holds no items");
    assertThatThrownBy(() -> ChoiceFile.open(folder, 1)).hasMessageContaining("is a folder");
    assertThatThrownBy(() -> ChoiceFile.open(folder.resolve("none"), 1))
        .hasMessageContaining("none: no such file");
  }

  @Test
  void whatIsNoTextIsRefused() throws IOException {
    Path path =
        Files.write(folder.resolve("x"), "\"\u00e9\"".getBytes(StandardCharsets.ISO_8859_1));

    assertThatThrownBy(() -> ChoiceFile.open(path, 1)).hasMessageContaining("no text in UTF-8");
  }
}
