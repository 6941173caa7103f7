package io.moneonnx.graph;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OffHeapTest {
  @TempDir private Path folder;

  @Test
  void manyTensorsOfOddSizesKeepTheirBytes() {
    Random random = new Random(1);
    List<byte[]> expected = new ArrayList<>();
    List<Tensor> kept = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      byte[] bytes = new byte[OffHeap.LEAST + random.nextInt(3 << 20)];
      random.nextBytes(bytes);
      expected.add(bytes);
      kept.add(uint8(bytes).offHeap());
    }
    for (int i = 0; i < kept.size(); i++) {
      assertThat(kept.get(i).isOffHeap()).isTrue();
      assertThat(kept.get(i).bytes()).isEqualTo(ByteBuffer.wrap(expected.get(i)));
      assertThat(kept.get(i)).isEqualTo(uint8(expected.get(i)));
    }
  }

  @Test
  void whatIsLargerThanARegionHasItsOwn() {
    byte[] bytes = new byte[(1 << 26) + 3];
    bytes[bytes.length - 1] = 7;
    assertThat(uint8(bytes).offHeap().bytes()).isEqualTo(ByteBuffer.wrap(bytes));
  }

  @Test
  void whatAKilledProgramLeftIsRemovedByTheNext() throws IOException {
    Path left = Files.createDirectory(folder.resolve("mone-onnx-mapped-1"));
    Files.createFile(left.resolve(".lock"));
    Files.createFile(left.resolve("region"));
    String before = System.setProperty("java.io.tmpdir", folder.toString());
    try {
      assertThat(uint8(new byte[(1 << 26) + 1]).offHeap().isOffHeap()).isTrue();
    } finally {
      System.setProperty("java.io.tmpdir", before);
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void smallTensorsStayWhereTheyAre() {
    assertThat(uint8(new byte[OffHeap.LEAST - 1]).offHeap().isOffHeap()).isFalse();
  }

  @Test
  void constantsOfAnEditLeaveTheHeap() {
    Graph graph = GraphText.parse("g (float[T] x) => (float[T] y) { y = Identity (x) }");
    GraphEdit edit =
        new GraphEdit(new Model(graph, 10, Map.of("", 18L), Map.of(), UnknownFields.NONE));
    String name = edit.constant("w", Tensor.of(List.of(1L << 16), new float[1 << 16]));
    assertThat(edit.constant(name).orElseThrow().isOffHeap()).isTrue();
  }

  private static Tensor uint8(byte... bytes) {
    return new Tensor.Inline(
        ElementType.UINT8, List.of((long) bytes.length), ByteBuffer.wrap(bytes));
  }
}
