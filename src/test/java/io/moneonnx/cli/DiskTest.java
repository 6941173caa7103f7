package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Disks that do not take a model. Mounting them wants rights that not every user has. */
class DiskTest {
  private static final int ENVIRONMENT = 4;

  @TempDir private static Path shared;
  @TempDir private Path folder;

  private static Path profile;
  private static Path model;
  private Path disk;

  @BeforeAll
  static void measures() {
    profile = shared.resolve("olmoe.profile");
    model = shared.resolve("model.onnx");
    Cli.run("calibrate", TwoLayers.MODEL, "-o", profile, "--blocks", 1, "--seq-len", 32).succeeds();
    OnnxWriter.write(OnnxReader.read(TwoLayers.MODEL), model, Placement.EXTERNAL);
  }

  private void mount(String options) throws IOException, InterruptedException {
    Path point = Files.createDirectory(folder.resolve("disk"));
    assumeThat(run("mount", "-t", "tmpfs", "-o", options, "none", point.toString()))
        .as("the right to mount a file system")
        .isZero();
    disk = point;
  }

  @AfterEach
  void unmounts() throws IOException, InterruptedException {
    if (disk != null) {
      assertThat(run("umount", disk.toString())).isZero();
    }
  }

  private static int run(String... command) throws IOException, InterruptedException {
    try {
      return new ProcessBuilder(List.of(command))
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start()
          .waitFor();
    } catch (IOException e) {
      return -1;
    }
  }

  private Cli rewrite(String placement) {
    return Cli.run(
        "rewrite",
        model,
        "--profile",
        profile,
        "--ratio",
        "0.5",
        "--no-verify",
        placement,
        "-o",
        disk.resolve("p.onnx"));
  }

  @Test
  void aFullDiskIsToldWithWhatIsMissing() throws IOException, InterruptedException {
    mount("size=1m");
    for (String placement : List.of("--inline", "--external")) {
      rewrite(placement)
          .fails(
              ENVIRONMENT,
              disk.resolve("p.onnx") + ": cannot be written: ",
              "bytes are expected, 1,048,576 are left on the file system: ",
              " are missing");
      assertThat(disk).isEmptyDirectory();
    }
  }

  @Test
  void aDiskIsFullForAllThatLiesBesideAModelToo() throws IOException, InterruptedException {
    mount("size=8m");
    Path whole = Files.createDirectory(folder.resolve("whole"));
    Files.copy(model, whole.resolve("model.onnx"));
    Files.copy(model.resolveSibling("model.onnx.data"), whole.resolve("model.onnx.data"));
    Files.write(whole.resolve("other.bin"), new byte[9 << 20]);

    Cli.run(
            "rewrite",
            whole,
            "--profile",
            profile,
            "--ratio",
            "0.5",
            "--no-verify",
            "-o",
            disk.resolve("p"))
        .fails(
            ENVIRONMENT,
            disk.resolve("p") + ": cannot be written: 13,5",
            "bytes are expected, 8,388,608 are left on the file system: ");
    assertThat(disk).isEmptyDirectory();
  }

  @Test
  void aReadOnlyFolderIsSaidToBeReadOnly() throws IOException, InterruptedException {
    mount("size=1m,ro");

    rewrite("--external")
        .fails(ENVIRONMENT, "the file system of the folder " + disk + " is read-only");
  }
}
