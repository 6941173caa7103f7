package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.data.Fixtures;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model that copies the weights of each slot, where memory is short. */
final class MemoryTest {
  private static final int TOKENS = 48;
  private static final int HIDDEN = 64;
  private static final String PIECES =
      "in runs of more than 7 slots they read them expert by expert, to stay within 1 MiB";

  @TempDir private Path folder;
  private Path model;
  private Path data;

  @BeforeEach
  void laysOutAModel() throws IOException {
    TinyMoe tiny = TinyMoe.Spelling.GATHERED.of(16, 2, HIDDEN);
    model = folder.resolve("model.onnx");
    OnnxWriter.write(tiny.model(), model, Placement.INLINE);
    ByteBuffer x = tiny.tokens(TOKENS, 1).bytes();
    byte[] elements = new byte[x.remaining()];
    x.get(elements);
    byte[] array = Fixtures.npy("<f4", "(%d, %d)".formatted(TOKENS, HIDDEN), elements);
    data = Fixtures.npz(folder.resolve("x.npz"), Map.of("x", array));
  }

  private Cli rewrite(String out, String memory) {
    return Cli.run(
            "rewrite",
            model,
            "--data",
            data,
            "--ratio",
            "0.5",
            "--memory",
            memory,
            "--device",
            "cpu",
            "-o",
            folder.resolve(out))
        .succeeds();
  }

  @Test
  void aRewriteIsProvedInPiecesAndComesOutTheSame() {
    Cli scarce = rewrite("scarce.onnx", "1MiB");
    Cli ample = rewrite("ample.onnx", "8GiB");

    assertThat(scarce.err()).contains(PIECES).containsOnlyOnce("passed --memory 1 MiB");
    assertThat(ample.err()).doesNotContain(PIECES);
    assertThat(folder.resolve("scarce.onnx")).hasSameBinaryContentAs(folder.resolve("ample.onnx"));
  }
}
