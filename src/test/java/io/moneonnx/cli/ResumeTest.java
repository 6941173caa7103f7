package io.moneonnx.cli;

import static io.moneonnx.cli.ExitCode.BAD_INPUT;
import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.profile.Checkpoint;
import io.moneonnx.profile.CheckpointFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A calibration that is killed goes on where it was, and ends as if nothing had happened. */
class ResumeTest {
  private static final int KILLED = 128 + 9;
  private static final Path TEXT =
      TwoLayers.MODEL.resolveSibling("calibration.txt").toAbsolutePath();
  private static final Path OTHER = TwoLayers.MODEL.resolveSibling("heldout.txt").toAbsolutePath();

  @TempDir private static Path shared;
  @TempDir private Path folder;

  /** What an uninterrupted run writes, and a checkpoint of a run that was killed on its way. */
  private static Path whole;

  private static Path checkpoint;

  private Path out;
  private Path partial;

  @BeforeAll
  static void runsOnceAndIsKilledOnce() throws Exception {
    whole = shared.resolve("whole");
    calibrate(whole, "--checkpoint", "off").succeeds();
    Path killed = shared.resolve("killed");
    checkpoint = shared.resolve("killed.partial");
    killOnceThere(start(killed), checkpoint, 0);
  }

  @BeforeEach
  void choosesAnOutput() {
    out = folder.resolve("out");
    partial = folder.resolve("out.partial");
  }

  private static List<String> command(Path out, String... options) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "calibrate", TwoLayers.MODEL.toAbsolutePath().toString(), "-o", out.toString()));
    command.addAll(List.of("--data", "a=" + TEXT, "b=" + OTHER, "--seq-len", "32"));
    command.addAll(List.of("--blocks", "40", "--device", "cpu", "--threads", "1"));
    command.addAll(List.of(options));
    return command;
  }

  private static Cli calibrate(Path out, String... options) {
    return Cli.run(command(out, options).toArray());
  }

  private static Process start(Path out, String... options) throws IOException {
    List<String> process =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                Main.class.getName()));
    process.addAll(command(out, options));
    process.addAll(List.of("--checkpoint", "1ms"));
    return new ProcessBuilder(process)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** As {@code kill -9} does. */
  private static void killOnceThere(Process process, Path file, long milliseconds)
      throws Exception {
    while (!Files.exists(file) && process.isAlive()) {
      Thread.sleep(1);
    }
    Thread.sleep(milliseconds);
    process.destroyForcibly();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as("killed before it was done").isEqualTo(KILLED);
  }

  private void leavesACheckpoint() throws IOException {
    Files.copy(checkpoint, partial, StandardCopyOption.REPLACE_EXISTING);
  }

  @Tag("exhaustive")
  @ParameterizedTest
  @ValueSource(longs = {0, 50, 250})
  void afterAKillAtAnyMomentTheProfileIsTheSame(long milliseconds) throws Exception {
    killOnceThere(start(out), partial, milliseconds);
    long done = CheckpointFile.read(partial).measured().batches();

    Cli resumed = calibrate(out, "--resume").succeeds();

    assertThat(done).isBetween(1L, 79L);
    assertThat(resumed.err())
        .contains("out.partial: %,d runs of the model are done".formatted(done));
    assertThat(out).hasSameBinaryContentAs(whole);
    assertThat(Cli.names(folder)).containsExactly("out");
  }

  @Test
  void aRunThatIsKilledTwiceEndsTheSameToo() throws Exception {
    leavesACheckpoint();
    long before = Files.getLastModifiedTime(partial).toMillis();
    long first = CheckpointFile.read(partial).measured().batches();
    Process again = start(out, "--resume");
    while (Files.getLastModifiedTime(partial).toMillis() == before && again.isAlive()) {
      Thread.sleep(1);
    }
    killOnceThere(again, partial, 30);

    assertThat(CheckpointFile.read(partial).measured().batches()).isGreaterThan(first);
    assertThat(calibrate(out, "--resume").succeeds().err()).contains("runs of the model are done");
    assertThat(out).hasSameBinaryContentAs(whole);
  }

  @Test
  void withoutACheckpointItBeginsAtTheBeginningAndSaysSo() {
    Cli begun = calibrate(out, "--resume").succeeds();

    assertThat(begun.err())
        .contains("nothing to resume, beginning at the beginning", "out.partial");
    assertThat(out).hasSameBinaryContentAs(whole);
  }

  @Test
  void aCalibrationThatWasKilledBehindItsLastStepIsDone() throws IOException {
    Files.copy(whole, out);
    leavesACheckpoint();

    assertThat(calibrate(out, "--resume").succeeds().err())
        .contains("nothing to resume: " + out + " is complete");

    assertThat(out).hasSameBinaryContentAs(whole);
    assertThat(Cli.names(folder)).containsExactly("out");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--target cuda", "--moments"})
  void anotherCalibrationIsNotTakenForDone(String otherwise) throws IOException {
    Files.copy(whole, out);
    leavesACheckpoint();

    calibrate(out, (otherwise + " --resume").split(" "))
        .fails(BAD_INPUT, "out: exists already, and is of another calibration", "--force");

    assertThat(out).hasSameBinaryContentAs(whole);
    assertThat(partial).hasSameBinaryContentAs(checkpoint);
  }

  @Test
  void aCalibrationOnOtherDataIsNotTakenForDone() throws IOException {
    Files.copy(whole, out);

    Cli.run("calibrate", TwoLayers.MODEL, "-o", out, "--data", TEXT, "--seq-len", 32, "--resume")
        .fails(BAD_INPUT, "out: exists already, and is of another calibration");
  }

  @Test
  void aCheckpointIsNotLostByBeginningAgain() throws IOException {
    leavesACheckpoint();

    calibrate(out)
        .fails(BAD_INPUT, "out.partial: holds an unfinished calibration; --resume continues it");

    assertThat(partial).hasSameBinaryContentAs(checkpoint);
    calibrate(out, "--force").succeeds();
    assertThat(out).hasSameBinaryContentAs(whole);
    assertThat(Cli.names(folder)).containsExactly("out");
  }

  @ParameterizedTest
  @CsvSource({
    "--batch, 2, '--batch: not given, now 2'",
    "--target, cuda, '--target: cpu, now cuda'",
    "--field, body, '--field: not given, now body'"
  })
  void anotherRunIsNotGoneOnWith(String option, String value, String message) throws IOException {
    leavesACheckpoint();

    calibrate(out, option, value, "--resume")
        .fails(BAD_INPUT, "out.partial is of another calibration", message);

    assertThat(partial).hasSameBinaryContentAs(checkpoint);
  }

  @Test
  void otherDataAreNotGoneOnWith() throws IOException {
    leavesACheckpoint();

    Cli.run(
            "calibrate",
            TwoLayers.MODEL,
            "-o",
            out,
            "--data",
            "a=" + TEXT,
            "c=" + OTHER,
            "--seq-len",
            32,
            "--blocks",
            150,
            "--device",
            "cpu",
            "--threads",
            1,
            "--resume")
        .fails(BAD_INPUT, "another calibration", "--data 2: b=heldout.txt", "now c=heldout.txt");
  }

  @Test
  void tokensMayBeLeftOutFromHereOn() throws IOException {
    leavesACheckpoint();

    calibrate(out, "--resume", "--skip-nonfinite").succeeds();

    assertThat(out).hasSameBinaryContentAs(whole);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.0001, 0.01, 0.5, 0.9999})
  void aCheckpointThatIsCutShort(double kept) throws IOException {
    byte[] bytes = Files.readAllBytes(checkpoint);
    Files.write(partial, Arrays.copyOf(bytes, (int) (bytes.length * kept)));

    calibrate(out, "--resume").fails(BAD_INPUT, "out.partial is ");
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.0001, 0.01, 0.5, 0.9999})
  void aCheckpointThatIsDamaged(double place) throws IOException {
    byte[] bytes = Files.readAllBytes(checkpoint);
    bytes[(int) (bytes.length * place)] ^= 16;
    Files.write(partial, bytes);

    calibrate(out, "--resume").fails(BAD_INPUT, "out.partial is ");
  }

  @Test
  void aProfileForACheckpoint() throws IOException {
    Files.copy(whole, partial);

    calibrate(out, "--resume").fails(BAD_INPUT, "out.partial is no checkpoint");
  }

  @ParameterizedTest
  @ValueSource(strings = {"show", "plan"})
  void aCheckpointForAProfile(String command) {
    Stream<Object> given = Stream.of(command, checkpoint);
    Stream<Object> wanted = command.equals("plan") ? Stream.of("-o", out) : Stream.of();

    Cli.run(Stream.concat(given, wanted).toArray())
        .fails(BAD_INPUT, "killed.partial holds an unfinished calibration", "--resume");
  }

  @Test
  void dataThatACheckpointWouldReplace() throws IOException {
    Files.copy(TEXT, partial);

    Cli.run("calibrate", TwoLayers.MODEL, "-o", out, "--data", partial, "--force")
        .fails(BAD_INPUT, "out.partial: is read as an input");

    assertThat(partial).hasSameBinaryContentAs(TEXT);
  }

  @Test
  void aCheckpointHoldsWhatWasMeasuredSoFar() {
    Checkpoint read = CheckpointFile.read(checkpoint);

    assertThat(read.run()).containsEntry("--threads", "1").containsEntry("--seq-len", "32");
    assertThat(read.measured().statistics())
        .allSatisfy(block -> assertThat(block.tokens()).isEqualTo(32 * read.measured().batches()));
  }
}
