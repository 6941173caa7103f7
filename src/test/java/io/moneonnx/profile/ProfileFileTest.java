package io.moneonnx.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ProfileFileTest {
  @TempDir Path folder;

  static Profile profile() {
    return new Profile(
        "sha256:00",
        1_000_000,
        List.of(run(Optional.empty()), run(Optional.of("prose"))),
        List.of(
            RandomTokens.of(50, 0, 1).statistics(0, 50).ofBatch(9, Optional.of("prose")),
            BlockStatistics.empty(
                new BlockHeader("/layers.1/mlp", "SparseLoop", 3, 1, 2, 0, 100))));
  }

  private static Profile.Run run(Optional<String> tag) {
    return new Profile.Run(
        "0.1",
        "1.29.0",
        "cpu",
        100,
        64,
        List.of(new Profile.Source("calibration.txt", tag, 1234, "00ff", 100)),
        Map.of("why", "a test"));
  }

  @Test
  void readsBackWhatWasWritten() throws IOException {
    Path file = folder.resolve("a.profile");

    ProfileFile.write(profile(), file);

    assertThat(ProfileFile.read(file)).isEqualTo(profile());
    assertThat(folder).isDirectoryContaining(file::equals);
    assertThat(folder.toFile().list()).hasSize(1);
  }

  @Test
  void saysWhereAFileIsCutOff() throws IOException {
    Path file = folder.resolve("a.profile");
    ProfileFile.write(profile(), file);
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length < whole.length; length += 17) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> ProfileFile.read(file)).isInstanceOf(BadInputException.class);
    }

    Files.write(file, Arrays.copyOf(whole, 100));
    assertThatThrownBy(() -> ProfileFile.read(file))
        .hasMessageContaining("is cut off: expected a header of ")
        .hasMessageEndingWith("bytes, found 92");
    Files.write(file, Arrays.copyOf(whole, whole.length - 1));
    assertThatThrownBy(() -> ProfileFile.read(file))
        .hasMessage(
            "%s is cut off: expected %,d bytes, found %,d"
                .formatted(file, whole.length, whole.length - 1));
    Files.write(file, Arrays.copyOf(whole, whole.length + 1));
    assertThatThrownBy(() -> ProfileFile.read(file)).hasMessageContaining("has bytes after");
  }

  @Test
  void findsAByteThatChanged() throws IOException {
    Path file = folder.resolve("a.profile");
    ProfileFile.write(profile(), file);
    byte[] whole = Files.readAllBytes(file);
    for (int place = 0; place < whole.length; place += place < 64 ? 1 : 7) {
      byte[] damaged = whole.clone();
      damaged[place] ^= 1;
      Files.write(file, damaged);
      assertThatThrownBy(() -> ProfileFile.read(file)).isInstanceOf(BadInputException.class);
    }
  }

  @Test
  void refusesWhatIsNoProfile() throws IOException {
    Path file = Files.writeString(folder.resolve("a.txt"), "In the beginning");

    assertThatThrownBy(() -> ProfileFile.read(file))
        .isInstanceOf(BadInputException.class)
        .hasMessage(file + " is no profile");
  }

  @Test
  void refusesAProfileOfNoBlocks() {
    Path file = folder.resolve("none.profile");
    ProfileFile.write(new Profile("sha256:00", 1, List.of(run(Optional.empty())), List.of()), file);

    assertThatThrownBy(() -> ProfileFile.read(file))
        .isInstanceOf(BadInputException.class)
        .hasMessage(file + " is a profile without blocks");
  }

  @Test
  void refusesToWriteTwoTensorsOfOneName() {
    Statistics measured = MadeStatistics.of(header("a")).all();
    BlockStatistics tagged =
        new BlockStatistics(measured, Slices.NONE).ofBatch(0, Optional.of("b"));
    BlockStatistics named = BlockStatistics.empty(header("a.source.b"));
    Profile both = new Profile("sha256:00", 1, List.of(), List.of(tagged, named));

    assertThatThrownBy(() -> ProfileFile.write(both, folder.resolve("both")))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("two tensors have the name 'a.source.b.T'");
    assertThat(folder).isEmptyDirectory();
  }

  private static BlockHeader header(String name) {
    return new BlockHeader(name, "SparseLoop", 3, 1, 2, 0, 100);
  }
}
