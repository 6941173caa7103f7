package io.moneonnx.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Tensor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskSpaceTest {
  private static final long HUGE = 1L << 43;
  private final IOException failure = new IOException("No space left on device");

  @TempDir private Path folder;

  @Test
  void whatIsMissingIsToldBeforeAnythingIsWritten() throws IOException {
    Path holes = folder.resolve("holes");
    try (RandomAccessFile file = new RandomAccessFile(holes.toFile(), "rw")) {
      file.setLength(HUGE);
    }
    Tensor tensor =
        new Tensor.External(
            ElementType.UINT8, List.of(HUGE), List.of(new FileRange(holes, 0, HUGE)));
    Path out = folder.resolve("out.onnx");

    assertThatThrownBy(() -> OnnxWriter.write(Given.holding(tensor), out, Placement.EXTERNAL))
        .isInstanceOf(CannotWriteException.class)
        .hasMessageStartingWith(out + ": cannot be written: 8,796,093,0")
        .hasMessageEndingWith(" are missing");
    assertThat(folder.toFile().list()).containsExactly("holes");
  }

  @Test
  void whatIsMissingIsToldOnceADiskIsFull() {
    assertThat(new DiskSpace(folder, Long.MAX_VALUE).because(failure))
        .hasMessageStartingWith(
            "No space left on device; 9,223,372,036,854,775,807 bytes are expected")
        .hasMessageEndingWith(" are missing");
  }

  @Test
  void otherFailuresAreToldAsTheyAre() {
    assertThat(new DiskSpace(folder, 1).because(failure)).isSameAs(failure);
  }
}
