package io.moneonnx.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TensorTest {
  private static final Tensor.Inline FOUR_ROWS =
      Tensor.of(List.of(4L, 2L), 0f, 1, 10, 11, 20, 21, 30, 31);

  @TempDir Path folder;

  /** {@link #FOUR_ROWS} in a file, behind four bytes of something else. */
  private Tensor.External external() throws IOException {
    Path file = folder.resolve("data");
    ByteBuffer bytes = ByteBuffer.allocate(36);
    bytes.position(4).put(FOUR_ROWS.bytes());
    Files.write(file, bytes.array());
    return new Tensor.External(
        ElementType.FLOAT, FOUR_ROWS.dims(), List.of(new FileRange(file, 4, 32)));
  }

  @Test
  void keepsRowsInTheOrderAskedFor() {
    Tensor rows = FOUR_ROWS.rows(List.of(3, 0, 3));

    assertThat(rows.dims()).containsExactly(3L, 2L);
    assertThat(rows.toFloats()).containsExactly(30, 31, 0, 1, 30, 31);
    assertThat(FOUR_ROWS.rows(List.of()).dims()).containsExactly(0L, 2L);
  }

  @Test
  void keepsRowsInTheFile() throws IOException {
    Tensor rows = external().rows(List.of(3, 0));

    assertThat(rows).isInstanceOf(Tensor.External.class);
    assertThat(rows.dims()).containsExactly(2L, 2L);
    assertThat(rows.toFloats()).containsExactly(30, 31, 0, 1);
  }

  @Test
  void keepsColumnsInTheFile() throws IOException {
    Tensor columns = external().along(1, List.of(1));

    assertThat(columns).isInstanceOf(Tensor.External.class);
    assertThat(columns.dims()).containsExactly(4L, 1L);
    assertThat(columns.toFloats()).containsExactly(1, 11, 21, 31);
    assertThat(FOUR_ROWS.reshaped(List.of(2L, 2L, 2L)).along(1, List.of(0)).toFloats())
        .containsExactly(0, 1, 20, 21);
  }

  @Test
  void joinsRangesThatTouch() throws IOException {
    Tensor.External rows = (Tensor.External) external().rows(List.of(0, 1, 3));

    Path file = folder.resolve("data");
    assertThat(rows.ranges())
        .containsExactly(new FileRange(file, 4, 16), new FileRange(file, 28, 8));
    assertThat(rows.toFloats()).containsExactly(0, 1, 10, 11, 30, 31);
  }

  @Test
  void joinsNoRangesBackwards() throws IOException {
    Tensor.External rows = (Tensor.External) external().rows(List.of(1, 0));

    assertThat(rows.ranges()).hasSize(2);
    assertThat(rows.toFloats()).containsExactly(10, 11, 0, 1);
  }

  /** A row of two ranges, and part of one. */
  @Test
  void cutsWhatIsCutAlready() throws IOException {
    Tensor cut = external().rows(List.of(0, 2, 3));
    Tensor.External again = (Tensor.External) cut.rows(List.of(2, 0));

    assertThat(again.toFloats()).containsExactly(30, 31, 0, 1);
    assertThat(cut.reshaped(List.of(2L, 3L)).rows(List.of(1)).toFloats())
        .containsExactly(21, 30, 31);
    assertThat(cut.reshaped(List.of(3L, 2L)).along(1, List.of(1)).toFloats())
        .containsExactly(1, 21, 31);
  }

  @Test
  void putsAxesInAnotherOrder() throws IOException {
    Tensor cubes = Tensor.of(List.of(2L, 2L, 3L), 0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);

    assertThat(cubes.transposed(List.of(1, 0, 2)).toFloats())
        .containsExactly(0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11);
    assertThat(cubes.transposed(List.of(0, 2, 1)).toFloats())
        .containsExactly(0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11);
    assertThat(cubes.transposed(List.of(2, 0, 1)).dims()).containsExactly(3L, 2L, 2L);
    assertThat(cubes.transposed(List.of(2, 0, 1)).toFloats())
        .containsExactly(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11);
    assertThat(cubes.transposed(List.of(0, 1, 2))).isEqualTo(cubes);
    assertThat(external().transposed(List.of(1, 0)).toFloats()).startsWith(0, 10);
  }

  @Test
  void cutsOfEachIndexItsOwn() {
    Tensor stack = Tensor.of(List.of(2L, 2L, 3L), 0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    List<List<Integer>> columns = List.of(List.of(0, 2), List.of(1, 2));

    assertThat(stack.alongEach(0, List.of(0, 1), 2, columns).dims()).containsExactly(2L, 2L, 2L);
    assertThat(stack.alongEach(0, List.of(0, 1), 2, columns).toFloats())
        .containsExactly(0, 2, 3, 5, 7, 8, 10, 11);
    assertThat(stack.alongEach(0, List.of(0, 1), 1, List.of(List.of(1), List.of(0))).toFloats())
        .containsExactly(3, 4, 5, 6, 7, 8);
    assertThat(stack.alongEach(0, List.of(1, 1), 2, List.of(List.of(0), List.of(2))).toFloats())
        .containsExactly(6, 9, 8, 11);
    assertThat(
            stack
                .alongEach(2, List.of(0, 1, 2), 1, List.of(List.of(0), List.of(1), List.of(0)))
                .toFloats())
        .containsExactly(0, 4, 2, 6, 10, 8);
  }

  /** Many short columns of what lies in a file are as of what lies in memory. */
  @Test
  void manyColumnsAreNotListedRowByRow() throws IOException {
    float[] values = new float[3 * 700 * 9];
    IntStream.range(0, values.length).forEach(i -> values[i] = i);
    Tensor memory = Tensor.of(List.of(3L, 700L, 9L), values);
    Path data = folder.resolve("many");
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length + 4);
    Files.write(data, bytes.position(4).put(memory.bytes()).array());
    Tensor file =
        new Tensor.External(
            ElementType.FLOAT,
            memory.dims(),
            List.of(new FileRange(data, 4, 1000), new FileRange(data, 1004, 4L * 18_900 - 1000)));
    List<List<Integer>> own = List.of(List.of(1, 2, 5), List.of(8, 0, 4), List.of(6, 7, 8));
    List<UnaryOperator<Tensor>> cuts =
        List.of(
            all -> all.along(2, List.of(7, 0, 1, 5)),
            all -> all.along(2, List.of(3)),
            all -> all.alongEach(0, List.of(2, 0, 2), 2, own));
    for (UnaryOperator<Tensor> cut : cuts) {
      Tensor found = cut.apply(file);
      Tensor expected = cut.apply(memory);
      assertThat(found).isInstanceOf(ColumnCut.class);
      assertThat(found.dims()).isEqualTo(expected.dims());
      assertThat(found.toFloats()).isEqualTo(expected.toFloats());
      assertThat(found.hasSameElements(expected)).isTrue();
      assertThat(found.piece(8, 16)).isEqualTo(expected.piece(8, 16));
      assertThat(found.rows(List.of(2, 1)).toFloats())
          .isEqualTo(expected.rows(List.of(2, 1)).toFloats());
      List<Long> flat = List.of(found.elements());
      assertThat(found.reshaped(flat).toFloats()).isEqualTo(expected.toFloats());
    }
    assertThat(file.along(1, List.of(0, 2))).isInstanceOf(Tensor.External.class);
  }

  @Test
  void cutsRowsOfTensorsOfHigherRank() {
    Tensor banks = Tensor.of(List.of(2L, 1L, 2L), 1L, 2, 3, 4).rows(List.of(1));

    assertThat(banks.dims()).containsExactly(1L, 1L, 2L);
    assertThat(banks.toLongs()).containsExactly(3, 4);
  }

  @Test
  void tellsElementsApartWhereverTheyAre() throws IOException {
    Tensor other = Tensor.of(FOUR_ROWS.dims(), 0f, 1, 10, 11, 20, 21, 30, 32);

    assertThat(external().hasSameElements(FOUR_ROWS)).isTrue();
    assertThat(external().hasSameElements(other)).isFalse();
    assertThat(external().hasSameElements(FOUR_ROWS.reshaped(List.of(2L, 4L)))).isFalse();
  }

  /** Also behind the first piece, and in types of less than a byte. */
  @Test
  void tellsBigTensorsApart() {
    byte[] bytes = new byte[Tensor.PIECE + 1];
    byte[] touched = bytes.clone();
    touched[Tensor.PIECE] = 1;

    assertThat(packed(bytes).hasSameElements(packed(bytes.clone()))).isTrue();
    assertThat(packed(bytes).hasSameElements(packed(touched))).isFalse();
  }

  private static Tensor packed(byte[] bytes) {
    return new Tensor.Inline(
        ElementType.INT4, List.of(2L * bytes.length - 1), ByteBuffer.wrap(bytes));
  }

  @Test
  void cutsNoRowsWithinAByte() {
    Tensor packed =
        new Tensor.Inline(ElementType.INT4, List.of(2L, 3L), ByteBuffer.wrap(new byte[3]));

    assertThatThrownBy(() -> packed.rows(List.of(0)))
        .hasMessageContaining("does not end on a byte");
  }

  @Test
  void refusesBytesThatDoNotFill() {
    assertThatThrownBy(() -> Tensor.of(List.of(2L, 2L), 1f, 2f))
        .hasMessage("float[2, 2] wants 16 bytes, found 8");
    assertThatThrownBy(
            () ->
                new Tensor.External(
                    ElementType.INT64, List.of(1L), List.of(new FileRange(folder, 0, 4))))
        .hasMessage("int64[1] wants 8 bytes, found 4");
  }
}
