package io.moneonnx.verify.golden;

import static io.moneonnx.verify.golden.Recordings.fed;
import static io.moneonnx.verify.golden.Recordings.record;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.data.Batch;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.golden.GoldenContent;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class GoldenFileTest {
  private static final TinyMoe TINY = Spelling.SORTED.of(4, 2, 4);

  @TempDir private Path folder;

  private static Golden tiny() {
    return record(TINY.model(), fed(Map.of("x", TINY.tokens(6, 1))));
  }

  private Path write(Golden golden, String name) {
    Path file = folder.resolve(name);
    GoldenFile.write(golden, file);
    return file;
  }

  @Test
  void readsWhatItWrote() {
    Golden golden = tiny();
    Golden read = GoldenFile.read(write(golden, "a.onnxgold"));

    assertThat(read)
        .usingRecursiveComparison()
        .ignoringFieldsOfTypes(Batch.class)
        .isEqualTo(golden);
    assertThat(read.runs().get(0).fed()).isEqualTo(golden.runs().get(0).fed());
  }

  @Test
  void recordsTheSameBytesAgain() {
    assertThat(write(tiny(), "a.onnxgold")).hasSameBinaryContentAs(write(tiny(), "b.onnxgold"));
  }

  @Test
  void keepsWhatIsNotFiniteOrNoNumber() {
    Model model =
        Recordings.model(
            """
            odd (float[T, 2] x) => (float[T, 2] root, int64[2] sizes)
            { root = Sqrt (x)
              sizes = Shape (x) }
            """);
    Golden golden =
        record(model, fed(Map.of("x", Tensor.of(List.of(2L, 2L), -1f, 2, 3, Float.NaN))));
    Golden read = GoldenFile.read(write(golden, "a.onnxgold"));

    assertThat(read.runs().get(0).sketches()).isEqualTo(golden.runs().get(0).sketches());
    assertThat(Recordings.check(read, model).holds()).isTrue();
  }

  @Test
  void roomOfZerosTakesNoRoom() throws IOException {
    Model model =
        Recordings.model(
            "big (float[T, N] x) => (float[T] y) { y = ReduceSum <keepdims = 0> (x) }");
    Tensor zeros =
        new Tensor.Inline(ElementType.FLOAT, List.of(1L, 1L << 22), ByteBuffer.allocate(1 << 24));
    Path file = write(record(model, fed(Map.of("x", zeros))), "a.onnxgold");

    assertThat(Files.size(file)).isLessThan(1000);
    assertThat(GoldenFile.read(file).runs().get(0).fed().feeds()).containsEntry("x", zeros);
  }

  @Test
  void everyDamageIsTold() throws IOException {
    byte[] whole = Files.readAllBytes(write(tiny(), "a.onnxgold"));
    Path file = folder.resolve("damaged.onnxgold");

    for (int length = 0; length < whole.length; length += 7) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertRefused(file, length < 8 ? "holds no golden outputs" : "is damaged");
    }
    for (int at = 20; at < whole.length; at += 7) {
      byte[] changed = whole.clone();
      changed[at] ^= 0x10;
      Files.write(file, changed);
      assertRefused(file, "is damaged");
    }
  }

  @Test
  void anotherVersionIsNamed() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes("MONEGOLD".getBytes(StandardCharsets.US_ASCII));
    try (GZIPOutputStream packed = new GZIPOutputStream(bytes)) {
      GoldenContent.newBuilder().setVersion(2).build().writeTo(packed);
    }
    Path file = Files.write(folder.resolve("later.onnxgold"), bytes.toByteArray());

    assertRefused(file, "is of version 2; this program reads version 1");
  }

  @Test
  void otherFilesAreNoGoldenOutputs() throws IOException {
    assertRefused(
        Files.writeString(folder.resolve("text"), "some other text"), "holds no golden outputs");
    assertRefused(folder.resolve("nothing"), "no such file");
    assertRefused(folder, "is a folder");
  }

  private static void assertRefused(Path file, String why) {
    assertThatThrownBy(() -> GoldenFile.read(file))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(why);
  }
}
