package io.moneonnx.profile;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ProfileIdTest {
  @TempDir private Path folder;

  @Test
  void isTheSameAfterWritingAndReading() throws IOException {
    Profile profile = profile("m", RandomTokens.of(30, 2, 1).statistics(0, 30));
    Path file = folder.resolve("p");

    ProfileFile.write(profile, file);

    assertThat(ProfileFile.read(file).id()).isEqualTo(profile.id()).matches("sha256:[0-9a-f]{32}");
  }

  @Test
  void hangsOnTheModelAndOnWhatWasMeasured() {
    RandomTokens tokens = RandomTokens.of(30, 2, 1);
    Profile profile = profile("m", tokens.statistics(0, 30));

    assertThat(profile("m", tokens.statistics(0, 30)).id()).isEqualTo(profile.id());
    assertThat(profile("other", tokens.statistics(0, 30)).id()).isNotEqualTo(profile.id());
    assertThat(profile("m", tokens.statistics(0, 29)).id()).isNotEqualTo(profile.id());
  }

  private static Profile profile(String model, BlockStatistics block) {
    return new Profile(model, 1, List.of(), List.of(block));
  }
}
