package io.moneonnx.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PiecewiseFileTest {
  private static final int PIECE = 4 << 20;

  @TempDir private Path folder;

  private static byte[] noise(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  private static void write(Path file, byte[] content) throws IOException {
    PiecewiseFile.write(
        file,
        content.length,
        (at, piece) -> {
          piece.put(content, (int) at, (int) Math.min(piece.remaining(), content.length - at));
          piece.position(piece.limit());
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4095, 4096, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE + 12_345})
  void holdsEveryByteAndNoMore(int size) throws IOException {
    Path file = folder.resolve("f");

    write(file, noise(size));

    assertThat(file).hasBinaryContent(noise(size));
  }

  @Test
  void isWrittenWhereNothingGoesPastThePageCache() throws IOException {
    Path memory = Path.of("/dev/shm");
    assumeThat(memory).isDirectory().isWritable();
    Path file = Files.createTempDirectory(memory, "mone-onnx").resolve("f");
    try {
      write(file, noise(PIECE + 5));
      assertThat(file).hasBinaryContent(noise(PIECE + 5));
    } finally {
      Files.delete(file);
      Files.delete(file.getParent());
    }
  }

  @Test
  void endsWithTheFirstFailure() {
    assertThatThrownBy(
            () ->
                PiecewiseFile.write(
                    folder.resolve("f"),
                    1L << 40,
                    (at, piece) -> {
                      throw new IOException("no piece");
                    }))
        .isInstanceOf(IOException.class)
        .hasMessage("no piece");
  }

  @Test
  void takesNoDefectForAFailureOfTheDisk() {
    IllegalStateException defect = new IllegalStateException("a defect");

    assertThatThrownBy(
            () ->
                PiecewiseFile.write(
                    folder.resolve("f"),
                    PIECE,
                    (at, piece) -> {
                      throw defect;
                    }))
        .isSameAs(defect);
  }

  /** Tensors of any size and of many ranges, with gaps between, across the borders of pieces. */
  @Test
  void tensorsLieWhereTheModelSaysTheyDo() throws IOException {
    byte[] all = noise(3 * PIECE);
    Path source = Files.write(folder.resolve("source"), all);
    List<Tensor> tensors =
        List.of(
            bytes(source, 5, 2000),
            bytes(source, 17, PIECE - 1000),
            bytes(source, 0, 4 * 5000).reshaped(List.of(5000L, 4L)).rows(everyOther(5000)),
            new Tensor.Inline(
                ElementType.UINT8, List.of(PIECE + 3L), ByteBuffer.wrap(all, 0, PIECE + 3)),
            bytes(source, PIECE, 2 * PIECE));
    WeightsFile data = new WeightsFile("f");
    List<TensorProto.Builder> protos =
        tensors.stream().map(tensor -> TensorProto.newBuilder()).toList();
    for (int i = 0; i < tensors.size(); i++) {
      assertThat(data.take(tensors.get(i), protos.get(i))).isTrue();
    }
    Path file = folder.resolve("f");
    try (SourceFiles sources = new SourceFiles()) {
      data.write(file, sources);
    }
    for (int i = 0; i < tensors.size(); i++) {
      long offset = Long.parseLong(protos.get(i).getExternalData(1).getValue());
      assertThat(bytes(file, offset, tensors.get(i).byteSize()).bytes())
          .isEqualTo(tensors.get(i).bytes());
    }
    assertThat(Files.size(file)).isEqualTo(data.size());
  }

  private static List<Integer> everyOther(int size) {
    return IntStream.range(0, size / 2).mapToObj(i -> 2 * i).toList();
  }

  private static Tensor.External bytes(Path file, long offset, long size) {
    return new Tensor.External(
        ElementType.UINT8, List.of(size), List.of(new FileRange(file, offset, size)));
  }

  /** What is read is gone while it is read, not before. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aSourceThatShrinksIsNamed(boolean copied) throws IOException {
    Path source = Files.write(folder.resolve("source"), noise(3 * PIECE));
    Tensor tensor = bytes(source, 100, 2 * PIECE);
    try (SourceFiles sources = new SourceFiles()) {
      ByteBuffer piece = ByteBuffer.allocate(PIECE);
      sources.read(tensor, 0, piece);
      Files.write(source, new byte[PIECE + 200]);
      assertThatThrownBy(
              () -> {
                if (copied) {
                  sources.copy(tensor, new MemoryChannel(ByteBuffer.allocate(2 * PIECE)));
                } else {
                  sources.read(tensor, PIECE, piece.clear());
                }
              })
          .isInstanceOf(IOException.class)
          .hasMessageContaining(source + " has shrunk to %d bytes".formatted(PIECE + 200));
    }
  }
}
