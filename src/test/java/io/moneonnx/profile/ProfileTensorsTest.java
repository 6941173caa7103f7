package io.moneonnx.profile;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.moneonnx.Safetensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A profile as other programs read it. */
final class ProfileTensorsTest {
  private static final Profile PROFILE = ProfileFileTest.profile();
  private static final BlockStatistics BLOCK = PROFILE.blocks().get(0);
  private static final String NAME = BLOCK.name();

  @TempDir Path folder;
  private Path file;
  private Safetensors read;

  @BeforeEach
  void writes() throws IOException {
    file = folder.resolve("a.safetensors");
    ProfileFile.write(PROFILE, file);
    read = Safetensors.read(file);
  }

  @Test
  void holdsEveryStatisticUnderItsName() {
    assertThat(read.longs(NAME + ".T")).containsExactly(50);
    assertThat(Values.counts(read.longs(NAME + ".n"))).isEqualTo(BLOCK.get(Statistic.N));
    assertThat(Values.counts(read.longs(NAME + ".C"))).isEqualTo(BLOCK.get(Statistic.C));
    assertThat(read.doubles(NAME + ".B2")).isEqualTo(BLOCK.get(Statistic.B2).stream().toArray());
    assertThat(read.doubles(NAME + ".Y2")).containsExactly(BLOCK.get(Statistic.Y2, 0));
    assertThat(shape(NAME + ".Y2")).isEqualTo("[]");
    assertThat(shape(NAME + ".C")).isEqualTo("[5,5]");
    assertThat(shape(NAME + ".mean")).isEqualTo("[5,3]");
  }

  /** The last of five experts is never chosen. */
  @Test
  void holdsNanWhereNothingIsDefined() {
    for (String matrix : List.of(".mean", ".M2", ".gmean")) {
      double[] values = read.doubles(NAME + matrix);
      for (int i = 0; i < values.length; i++) {
        assertThat(Double.isNaN(values[i])).as(matrix).isEqualTo(i >= 4 * 3);
      }
    }
    assertThat(read.doubles(NAME + ".mean"))
        .startsWith(BLOCK.get(Statistic.MEAN).stream().limit(12).toArray());
    assertThat(read.doubles(NAME + ".peak")[4]).isNaN();
    assertThat(read.doubles(NAME + ".G1")[4]).isZero();
  }

  @Test
  void holdsShardsAndTaggedSources() {
    assertThat(Values.counts(read.longs(NAME + ".shard.1.n"))).isEqualTo(BLOCK.get(Statistic.N));
    assertThat(read.doubles(NAME + ".source.prose.M2"))
        .startsWith(BLOCK.all().sums().get(Statistic.M2).stream().limit(4).toArray());
    assertThat(read.header().has("/layers.1/mlp.shard.1.n")).isFalse();
  }

  @Test
  void saysWhatWasFed() {
    JsonObject metadata = read.header().getAsJsonObject("__metadata__");

    assertThat(metadata.get("kind").getAsString()).isEqualTo("profile");
    assertThat(metadata.get("version").getAsString()).isEqualTo("5");
    assertThat(metadata.get("model").getAsString()).isEqualTo("sha256:00");
    assertThat(metadata.get("bytes").getAsString()).isEqualTo("1000000");
    assertThat(JsonParser.parseString(metadata.get("runs").getAsString()).getAsJsonArray())
        .hasSize(2);
    assertThat(metadata.get("blocks").getAsString()).contains("\"name\":\"/layers.1/mlp\"");
  }

  @Test
  void alignsItsElementsAndLeavesNoByteOver() throws IOException {
    long header =
        ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN).getLong();
    long end =
        read.header().asMap().values().stream()
            .filter(entry -> entry.getAsJsonObject().has("data_offsets"))
            .mapToLong(
                entry -> entry.getAsJsonObject().getAsJsonArray("data_offsets").get(1).getAsLong())
            .max()
            .orElseThrow();

    assertThat(header % Long.BYTES).isZero();
    assertThat(Files.size(file)).isEqualTo(Long.BYTES + header + end);
  }

  private String shape(String name) {
    return read.header().getAsJsonObject(name).getAsJsonArray("shape").toString();
  }
}
