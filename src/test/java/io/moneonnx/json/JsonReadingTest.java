package io.moneonnx.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonReadingTest {
  private enum Kind {
    ONE,
    TWO
  }

  private record Part(String name, List<Integer> ids) {
    private Part {
      if (ids.contains(13)) {
        throw new BadInputException("part '%s': 13 is no id".formatted(name));
      }
    }
  }

  private record Whole(
      String text,
      int count,
      Optional<BigDecimal> ratio,
      Kind kind,
      List<Part> parts,
      Map<String, Long> sizes) {}

  private static final String TEXT =
      """
      {"text": "t", "count": 2, "ratio": 0.50, "kind": "TWO",
       "parts": [{"name": "a", "ids": [3, 1]}, {"name": "b", "ids": []}],
       "sizes": {"a": 3000000000, "b": 0}}
      """;

  private static Whole read(String text) {
    return JsonReading.read("whole", text, Whole.class);
  }

  private static final Whole WHOLE =
      new Whole(
          "t",
          2,
          Optional.of(new BigDecimal("0.50")),
          Kind.TWO,
          List.of(new Part("a", List.of(3, 1)), new Part("b", List.of())),
          Map.of("a", 3_000_000_000L, "b", 0L));

  @Test
  void readsARecordWithAllThatIsInIt() {
    assertThat(read(TEXT)).isEqualTo(WHOLE);
  }

  @Test
  void readsWhatWasWritten() {
    assertThat(read(JsonText.of(WHOLE))).isEqualTo(WHOLE);
    assertThat(read(JsonText.indented(WHOLE))).isEqualTo(WHOLE);
    assertThat(JsonReading.read("whole", JsonText.texts(WHOLE), Whole.class)).isEqualTo(WHOLE);
  }

  @Test
  void onlyAnOptionalMayBeLeftOutOrNull() {
    assertThat(read(TEXT.replace("0.50", "null")).ratio()).isEmpty();
    assertThat(read(TEXT.replace("\"ratio\": 0.50, ", "")).ratio()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"count\": 2,    | ``              | whole: no key 'count'",
        "\"count\": 2,    | \"count\": 2, \"counts\": 3, | whole: unknown key 'counts'; known are count, kind, parts, ratio, sizes, text",
        "\"count\": 2     | \"count\": null | whole: 'count' wants an integer, found null",
        "\"count\": 2     | \"count\": 3000000000 | whole: 'count' wants an integer, found 3000000000",
        "\"count\": 2     | \"count\": 1e999999999 | whole: 'count' wants an integer, found 1e999999999",
        "0.50             | \"half\"      | whole: 'ratio' wants a number, found \"half\"",
        "\"TWO\"          | \"two\"         | whole: 'kind' wants \"ONE\" or \"TWO\", found \"two\"",
        "\"t\"            | [\"t\"]         | whole: 'text' wants a text, found [\"t\"]",
        "3000000000       | null            | whole: 'sizes': 'a' wants an integer, found null",
        "3000000000       | 1e19            | whole: 'sizes': 'a' wants an integer, found 1e19",
        "{\"a\": 3000000000, \"b\": 0} | 3   | whole: 'sizes' wants an object, found 3",
        "[3, 1]           | 3               | part 'a': 'ids' wants an array, found 3",
        "[3, 1]           | [3, 1.5]        | part 'a': 'ids' wants an integer, found 1.5",
        "[3, 1]           | [13]            | part 'a': 13 is no id",
        "\"name\": \"b\", | ``              | whole: parts[1]: no key 'name'",
        "\"b\", \"ids\": [] | \"b\\n\", \"ids\": 3 | whole: parts[1]: 'ids' wants an array, found 3",
        "{\"name\": \"b\", \"ids\": []} | 7 | whole: parts[1] wants an object, found 7",
      })
  void whatIsWrongIsNamed(String found, String edited, String message) {
    assertThat(TEXT).contains(found);

    assertThatThrownBy(() -> read(TEXT.replace(found, edited)))
        .isInstanceOf(BadInputException.class)
        .hasMessage(message);
  }

  @ParameterizedTest
  @CsvSource({
    "text, , whole: no key 'text'",
    "count, two, whole: 'count' is no JSON: ",
    "count, [], whole: 'count' wants an integer, found []",
  })
  void whatIsWrongInATextIsNamed(String key, String text, String message) {
    Map<String, String> texts = JsonText.texts(WHOLE);
    texts.compute(key, (name, old) -> text);

    assertThatThrownBy(() -> JsonReading.read("whole", texts, Whole.class))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith(message);
  }

  @ParameterizedTest
  @CsvSource({"'', the file is empty", "'{', line 1 column", "'{} {}', line 1 column 5"})
  void whatIsNoJsonIsSaidToBeNone(String text, String message) {
    assertThatThrownBy(() -> read(text))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith("is no JSON: ")
        .hasMessageContaining(message);
  }
}
