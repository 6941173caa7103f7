package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A user whom the system does not know, as in containers: Java says that the home is '?'. */
class UnknownUserTest {
  @TempDir private Path folder;

  @Test
  void keepsNothingInTheWorkingDirectory() throws Exception {
    Path home = Files.createDirectory(folder.resolve("home"));
    Path here = Files.createDirectory(folder.resolve("here"));

    calibrate(here, home.toString());

    assertThat(Cli.names(here)).containsExactly("p");
    assertThat(home.resolve(".cache/mone-onnx")).isDirectory();
  }

  @Tag("exhaustive")
  @Test
  void runsWithoutAnyHome() throws Exception {
    Path here = Files.createDirectory(folder.resolve("here"));

    calibrate(here, "");

    assertThat(Cli.names(here)).containsExactly("p");
  }

  private static void calibrate(Path here, String home) throws Exception {
    List<String> arguments =
        List.of(
            "calibrate",
            TwoLayers.MODEL.toString(),
            "--limit",
            "1",
            "--seq-len",
            "16",
            "--device",
            "cpu",
            "-o",
            "p");
    ProcessBuilder command =
        new ProcessBuilder(ChildJvm.command(List.of("-Duser.home=?"), Main.class, arguments))
            .directory(here.toFile());
    Map<String, String> environment = command.environment();
    environment.remove("XDG_CACHE_HOME");
    environment.put("HOME", home);

    ChildJvm child = ChildJvm.run(command);

    assertThat(child.code()).as(child.said()).isZero();
  }
}
