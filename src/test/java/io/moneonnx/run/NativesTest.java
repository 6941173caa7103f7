package io.moneonnx.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NativesTest {
  @TempDir Path folder;

  @Test
  void unpacksOnceAndOnlyWhatEverySessionNeeds() throws IOException {
    Natives natives = new Natives(folder.resolve("new"), Natives.ofThisMachine().platform());
    Path left = Files.createDirectories(natives.folder().resolve("unpacking-1"));
    Files.createFile(left.resolve(".lock"));
    Files.createFile(left.resolve("half-a-library"));

    natives.unpackCore();

    Path core = natives.folder().resolve(System.mapLibraryName("onnxruntime"));
    assertThat(core).exists();
    try (Stream<Path> files = Files.list(natives.folder())) {
      assertThat(files).allMatch(file -> !file.toString().matches(".*(cuda|unpacking).*"));
    }
    FileTime longAgo = FileTime.fromMillis(0);
    Files.setLastModifiedTime(core, longAgo);
    natives.unpackCore();
    assertThat(Files.getLastModifiedTime(core)).isEqualTo(longAgo);
  }

  @Test
  void spellsPlatformsAsTheJarDoes() {
    assertThat(Natives.platform("Linux", "amd64")).isEqualTo("linux-x64");
    assertThat(Natives.platform("Linux", "aarch64")).isEqualTo("linux-aarch64");
    assertThat(Natives.platform("Mac OS X", "aarch64")).isEqualTo("osx-aarch64");
    assertThat(Natives.platform("Windows 11", "amd64")).isEqualTo("win-x64");
  }
}
