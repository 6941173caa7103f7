package io.moneonnx.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ParquetRecordsTest {
  private static final Path FILES = Path.of("test-data/parquet");
  private static final Path TOKENIZER = Fixtures.MODEL.resolveSibling("tokenizer.json");

  /** What each file of texts holds besides a null and an empty text. */
  private static final List<String> TEXTS =
      Stream.concat(
              Stream.of("In the beginning", "naïve: 光あれ 😀"),
              IntStream.range(4, 12).mapToObj(i -> "And row %d said".formatted(i % 3)))
          .toList();

  @TempDir private Path folder;

  /** Keeps documents until there are so many. */
  private static final class Kept implements TextSink {
    private final List<String> documents = new ArrayList<>();
    private final StringBuilder current = new StringBuilder();
    private final int most;

    Kept(int most) {
      this.most = most;
    }

    @Override
    public boolean isFull() {
      return documents.size() == most;
    }

    @Override
    public void add(String text) {
      current.append(text);
    }

    @Override
    public void endDocument() {
      documents.add(current.toString());
      current.setLength(0);
    }
  }

  private static List<String> read(Path file, Optional<String> field, Path tokenizer) {
    Kept kept = new Kept(Integer.MAX_VALUE);
    new TextFile(file, field, new ChatTemplate(tokenizer)).readInto(kept);
    return kept.documents;
  }

  private static List<String> read(String name) {
    return read(FILES.resolve(name), Optional.empty(), TOKENIZER);
  }

  private static void assertRefused(Path file, Optional<String> field, String message) {
    assertThatThrownBy(() -> read(file, field, TOKENIZER))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(message)
        .extracting(Throwable::getMessage)
        .asString()
        .doesNotContain("\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "snappy", "gzip", "zstd", "lz4", "plain-v2"})
  void readsTheTextsOfAllRowGroupsWhateverPacksThem(String codec) {
    assertThat(read(codec + ".parquet")).isEqualTo(TEXTS);
  }

  @Test
  void anotherCodecIsNamed() {
    assertRefused(
        FILES.resolve("brotli.parquet"), Optional.empty(), "column 'text' is packed by BROTLI");
  }

  @Test
  void readsNoMoreThanIsWanted() {
    Kept kept = new Kept(3);

    ParquetRecords.of(FILES.resolve("zstd.parquet"), Optional.empty(), new ChatTemplate(TOKENIZER))
        .readInto(kept);

    assertThat(kept.documents).isEqualTo(TEXTS.subList(0, 3));
  }

  @Test
  void readsTheOnlyColumnAndOneThatIsNamed() {
    assertThat(read("one.parquet")).containsExactly("only column");
    assertThat(read(FILES.resolve("kinds.parquet"), Optional.of("category"), TOKENIZER))
        .containsExactly("Let there be light");
  }

  @ParameterizedTest
  @ValueSource(strings = {"chats.parquet", "chats-old.parquet"})
  void chatsAreThoseOfTheSameRecordsInJson(String name) throws IOException {
    Path tokenizer = Files.copy(TOKENIZER, folder.resolve("tokenizer.json"));
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"chat_template\": \"{% for m in messages %}{{ m | tojson }}{% endfor %}{{ tools | tojson }}\"}");
    Path json =
        Files.writeString(
            folder.resolve("chats.jsonl"),
            """
            {"messages": [{"content": "Hi", "role": "user", "calls": null}, {"content": "Ho", "role": "assistant", "calls": null}], "tools": [{"name": "f", "parameters": [1, 2]}]}
            {"messages": [{"content": "Bye", "role": "user", "calls": [{"id": 7, "ok": true, "x": 0.5}]}], "tools": null}
            """);

    List<String> found = read(FILES.resolve(name), Optional.empty(), tokenizer);

    assertThat(found).hasSize(2);
    assertThat(sorted(found)).isEqualTo(sorted(read(json, Optional.empty(), tokenizer)));
  }

  /** The letters of each text in order, for the fields of structs have one of their own. */
  private static List<String> sorted(List<String> texts) {
    return texts.stream()
        .map(
            text -> {
              char[] letters = text.toCharArray();
              Arrays.sort(letters);
              return new String(letters);
            })
        .toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "input_ids|is a list of int64, expected texts or chats; token ids are read from .npz",
        "strings|is a list of binary of STRING, expected texts or chats",
        "bytes|is binary, expected texts or chats",
        "image|is struct, expected texts or chats",
        "number|is int64, expected texts or chats",
        "map|is struct of MAP, expected texts or chats",
        "times|has in it int64 of TIMESTAMP(MILLIS,false), expected texts, numbers",
        "body|found no column 'body', expected one; its columns are input_ids, bytes, image",
      })
  void aColumnOfAnotherKindIsNamed(String field, String message) {
    assertRefused(FILES.resolve("kinds.parquet"), Optional.of(field), message);
  }

  @Test
  void severalColumnsOfWhichNoneIsUsualAreNamed() {
    assertRefused(
        FILES.resolve("kinds.parquet"),
        Optional.empty(),
        "found 8 columns, expected --field to name the one that holds the text: input_ids, bytes");
  }

  @ParameterizedTest
  @CsvSource({"encrypted, its footer", "encrypted-column, column 'text'"})
  void encryptedFilesAreRefused(String name, String what) {
    assertRefused(
        FILES.resolve(name + ".parquet"), Optional.empty(), what + " is encrypted, expected");
  }

  @Test
  void whatDoesNotFitInMemoryIsNotRead() {
    Path file = FILES.resolve("long.parquet");
    ChatTemplate template = new ChatTemplate(TOKENIZER);

    assertThatThrownBy(
            () ->
                new ParquetRecords(file, Optional.empty(), template, 100_000).readInto(new Kept(9)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("a page says that it has 600,0")
        .hasMessageContaining("expected at most 100,000");
    assertThatThrownBy(
            () ->
                new ParquetRecords(FILES.resolve("none.parquet"), Optional.of("id"), template, 10)
                    .readInto(new Kept(9)))
        .hasMessageContaining("a footer of");
    assertThat(read("long.parquet").get(0)).hasSize(600_000);
  }

  @Test
  void aFileThatIsCutShortIsRefused() throws IOException {
    byte[] bytes = Files.readAllBytes(FILES.resolve("zstd.parquet"));
    Path cut = folder.resolve("cut.parquet");
    for (int length = 0; length < bytes.length; length += 13) {
      Files.write(cut, Arrays.copyOf(bytes, length));
      assertRefused(cut, Optional.empty(), "is no readable Parquet file: ");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"snappy", "plain-v2", "chats"})
  void aDamagedFileIsRefusedOrReadWhateverByteIsWrong(String name) throws IOException {
    byte[] bytes = Files.readAllBytes(FILES.resolve(name + ".parquet"));
    Path damaged = folder.resolve("damaged.parquet");
    int refused = 0;
    for (int at = 0; at < bytes.length; at++) {
      bytes[at] ^= (byte) 0xff;
      Files.write(damaged, bytes);
      bytes[at] ^= (byte) 0xff;
      try {
        new TextFile(damaged, Optional.empty(), new ChatTemplate(folder)).readInto(new Kept(20));
      } catch (BadInputException e) {
        assertThat(e.getMessage()).startsWith(damaged.toString()).doesNotContain("\n");
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(bytes.length / 4);
  }

  @Test
  void aFolderStandsForItsParquetFilesToo() throws IOException {
    Path train = folder.resolve("train-00000-of-00001.parquet");
    Files.copy(FILES.resolve("one.parquet"), train);

    assertThat(GivenFiles.of(DataSource.untagged(List.of(folder))).files())
        .extracting(DataSource::path)
        .containsExactly(train);
  }
}
