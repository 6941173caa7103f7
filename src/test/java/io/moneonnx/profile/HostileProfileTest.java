package io.moneonnx.profile;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files with a right checksum that somebody made to mislead. */
final class HostileProfileTest {
  private static final String CHECKSUM = "\"checksum\":\"";

  @TempDir private Path folder;
  private Path file;
  private String header;
  private byte[] data;

  @BeforeEach
  void writesAProfile() throws IOException {
    file = folder.resolve("a.profile");
    ProfileFile.write(ProfileFileTest.profile(), file);
    byte[] whole = Files.readAllBytes(file);
    int length = (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
    header = new String(whole, Long.BYTES, length, StandardCharsets.UTF_8);
    data = Arrays.copyOfRange(whole, Long.BYTES + length, whole.length);
  }

  /** Writes the file again, with a checksum that is right. */
  private void write() throws IOException {
    header = header.stripTrailing();
    header += " ".repeat(-header.getBytes(StandardCharsets.UTF_8).length & 7);
    int at = header.indexOf(CHECKSUM) + CHECKSUM.length();
    String blank = header.substring(0, at) + "00000000" + header.substring(at + 8);
    CRC32C sum = new CRC32C();
    sum.update(bytes(blank));
    Files.write(file, bytes(blank.replaceFirst("00000000", "%08x".formatted(sum.getValue()))));
  }

  private byte[] bytes(String text) {
    byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(Long.BYTES + encoded.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(encoded.length)
        .put(encoded)
        .put(data)
        .array();
  }

  private void refuses(String... parts) {
    var thrown =
        assertThatThrownBy(() -> ProfileFile.read(file))
            .isInstanceOf(BadInputException.class)
            .hasMessageStartingWith(file + " is ");
    for (String part : parts) {
      thrown.hasMessageContaining(part);
    }
  }

  @Test
  void readsWhatWasOnlyWrittenAgain() throws IOException {
    write();

    ProfileFile.read(file);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"/layers.0/mlp.mean\":{\"dtype\":\"F64\" | \"/layers.0/mlp.mean\":{\"dtype\":\"F32\"",
        "\"/layers.0/mlp.mean\":{\"dtype\":\"F64\",\"shape\":[5,3] |"
            + " \"/layers.0/mlp.mean\":{\"dtype\":\"F64\",\"shape\":[3,5]",
        "\"data_offsets\":[8,48] | \"data_offsets\":[0,48]",
        "\"data_offsets\":[8,48] | \"data_offsets\":[8,999999999999]",
        "\"data_offsets\":[8,48] | \"data_offsets\":[-8,48]",
        "\"/layers.0/mlp.mean\" | \"/layers.0/mlp.median\"",
        "\"/layers.0/mlp.T\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}, | ``",
      })
  void tensorsThatAreNotThoseOfTheMetadata(String text, String other) throws IOException {
    header = header.replace(text, other);
    write();

    refuses("is damaged: its tensors are not those of its metadata: expected \"/layers.", "found");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"kind\" | \"sort\" | its metadata: no key 'kind'",
        "\"runs\" | \"runes\" | its metadata: no key 'runs'",
        "\"bytes\":\"1000000\" | \"bytes\":\"many\" | its metadata: 'bytes' is no JSON",
        "\\\"experts\\\":5 | \\\"experts\\\":0 | experts 0",
        "\\\"experts\\\":5 | \\\"experts\\\":2147483647 | its sizes are too large",
        "\\\"hidden\\\":3 | \\\"hidden\\\":1e99 | block '/layers.0/mlp': 'hidden' wants an integer",
        "\\\"shards\\\":[1] | \\\"shards\\\":[null] | block '/layers.0/mlp': 'shards' wants an integer",
        "\\\"notes\\\":{ | \\\"notes\\\":{\\\"a\\\":1, | runs[0]: 'notes': 'a' wants a text",
        "\\\"tokens\\\":100, | \\\"tokens\\\":1e19, | runs[0]: 'tokens' wants an integer",
        "/layers.1/mlp | /layers.0/mlp | two tensors have the name '/layers.0/mlp.T'",
        "\\\"tag\\\":null | \\\"tag\\\":[[ | its metadata: 'runs' is no JSON: ",
        "\"version\":\"5\" | \"version\":\"7\" | of version 7; this program reads version 5",
      })
  void metadataThatSayWhatCannotBe(String text, String other, String reason) throws IOException {
    header = header.replace(text, other);
    write();

    refuses(reason);
  }

  @ParameterizedTest
  @CsvSource({
    "mean, 0, NaN, expected finite float32 numbers where n is above 0 and NaN elsewhere, found NaN",
    "mean, 4, 1e39, expected finite float32 numbers where n is above 0 and NaN elsewhere, found 1.0E39 at element 4 (expert 1)",
    "mean, 14, 1, expected finite float32 numbers where n is above 0 and NaN elsewhere, found 1.0",
    "gmean, 3, Infinity, expected finite float32 numbers where G2 is above 0 and NaN elsewhere, found Inf",
    "B2, 4, NaN, expected finite numbers, found NaN at element 4 (expert 4)",
    "Y2, 0, -Infinity, expected finite numbers, found -Infinity at element 0",
    "shard.1.R2, 0, NaN, expected finite numbers where G2 is above 0 and NaN elsewhere, found NaN",
    "source.prose.A1, 1, NaN, expected finite numbers, found NaN",
  })
  void numbersThatAStatisticCannotHave(
      String name, int element, double value, String first, String second) throws IOException {
    put(name, element, Double.doubleToRawLongBits(value));

    refuses("tensor '/layers.0/mlp.%s': %s,%s".formatted(name, first, " " + second));
  }

  @ParameterizedTest
  @ValueSource(strings = {"T", "n", "C", "shard.1.n"})
  void countsBelowZero(String name) throws IOException {
    put(name, 0, -1);

    refuses("tensor '/layers.0/mlp.%s': expected counts, found -1 at element 0".formatted(name));
  }

  private void put(String name, int element, long bits) throws IOException {
    String offsets = header.split("\"/layers.0/mlp." + name + "\":", 2)[1].split("\\[", 3)[2];
    int from = Integer.parseInt(offsets.split(",", 2)[0]);
    ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).putLong(from + element * 8, bits);
    write();
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 0, 2, 100_000_001, 1L << 60})
  void headersOfALengthThatCannotBe(long length) throws IOException {
    byte[] whole = Files.readAllBytes(file);
    ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
    Files.write(file, whole);

    refuses("is no profile");
  }

  @Test
  void anotherSafetensorsFile() throws IOException {
    header = "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}        ";
    data = new byte[8];
    Files.write(file, bytes(header));

    refuses("is no profile");
  }

  @ParameterizedTest
  @CsvSource({"MONEPROF, profile", "MONEPART, checkpoint"})
  void filesOfEarlierVersions(String magic, String kind) throws IOException {
    Files.writeString(file, magic + "and then protobuf");

    refuses("is a %s of an earlier version: calibrate again".formatted(kind));
  }
}
