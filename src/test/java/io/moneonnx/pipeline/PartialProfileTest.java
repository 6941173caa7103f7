package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.profile.CheckpointFile;
import io.moneonnx.profile.Measured;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartialProfileTest {
  @TempDir private Path folder;
  private final List<String> said = new ArrayList<>();

  private PartialProfile every(Duration interval, Path profile) {
    PartialProfile partial =
        new PartialProfile(profile, Optional.of(interval), false, new Listening(said));
    partial.start(Map.of());
    return partial;
  }

  @Test
  void aCheckpointThatCannotBeWrittenIsToldAndTheNextOneIsTried() throws Exception {
    Path profile = folder.resolve("later/out");
    PartialProfile partial = every(Duration.ofNanos(1), profile);

    partial.take(Measured.NOTHING);
    Files.createDirectory(folder.resolve("later"));
    partial.take(Measured.NOTHING);

    assertThat(said)
        .singleElement()
        .asString()
        .contains("out.partial: ", "; going on without this checkpoint");
    assertThat(CheckpointFile.read(folder.resolve("later/out.partial")).measured())
        .isEqualTo(Measured.NOTHING);
  }

  @Test
  void anIntervalMayBeLongerThanNanosecondsCount() {
    every(Duration.ofHours(999_999_999), folder.resolve("out")).take(Measured.NOTHING);

    assertThat(folder).isEmptyDirectory();
    assertThat(said).isEmpty();
  }
}
