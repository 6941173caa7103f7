package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that leave their weights in another's data file, and how they become whole. */
class LinkTest {
  private static final int BAD_INPUT = 2;
  private static final Path OTHER_FILE_SYSTEM = Path.of("/dev/shm");

  @TempDir private static Path shared;
  @TempDir private Path folder;

  private static Path profile;
  private static byte[] weights;
  private Path model;
  private Path data;
  private Path linked;

  @BeforeAll
  static void measures() {
    profile = shared.resolve("olmoe.profile");
    Cli.run("calibrate", TwoLayers.MODEL, "-o", profile, "--blocks", 1, "--seq-len", 32).succeeds();
  }

  @BeforeEach
  void laysOutAModel() throws IOException {
    model = folder.resolve("model.onnx");
    data = folder.resolve("model.onnx.data");
    linked = folder.resolve("linked.onnx");
    OnnxWriter.write(OnnxReader.read(TwoLayers.MODEL), model, Placement.EXTERNAL);
    Files.copy(TwoLayers.MODEL.resolveSibling("tokenizer.json"), folder.resolve("tokenizer.json"));
    weights = Files.readAllBytes(data);
  }

  @AfterEach
  void theOriginalIsAsItWas() throws IOException {
    assertThat(data).hasBinaryContent(weights);
  }

  private Cli rewrite(Path out, Object... options) {
    return Cli.run(
        Stream.concat(
                Stream.of(
                    "rewrite",
                    model,
                    "--profile",
                    profile,
                    "--ratio",
                    "0.5",
                    "--device",
                    "cpu",
                    "-o",
                    out),
                Arrays.stream(options))
            .toArray());
  }

  private Cli pack(Path given, Path out, Object... options) {
    return Cli.run(
        Stream.concat(Stream.of("rewrite", "--pack", given, "-o", out), Arrays.stream(options))
            .toArray());
  }

  /** As one file, in which nothing tells where weights lay. */
  private byte[] whole(Path given) throws IOException {
    Path file = Files.createTempDirectory(folder, "whole").resolve("whole.onnx");
    OnnxWriter.write(OnnxReader.read(given), file, Placement.INLINE);
    return Files.readAllBytes(file);
  }

  @Test
  void refersToTheDataFileBesideItAndIsProved() throws IOException {
    Files.copy(
        TwoLayers.MODEL.resolveSibling("calibration.txt"), folder.resolve("calibration.txt"));

    String told = rewrite(linked, "--link").succeeds().out();

    assertThat(told)
        .contains("proof    largest relative error", "stay in what must stay as it is:")
        .contains(data.toString());
    assertThat(OnnxReader.read(linked).sources()).contains(data.toRealPath());
    assertThat(Files.size(linked) + Files.size(folder.resolve("linked.onnx.data")))
        .isLessThan(weights.length / 20);
    assertThat(Cli.names(folder))
        .containsExactly(
            "calibration.txt",
            "linked.onnx",
            "linked.onnx.data",
            "model.onnx",
            "model.onnx.data",
            "tokenizer.json");
  }

  @Test
  void whatLiesWhereALinkIsToBeIsToldBeforeAnyWork() throws IOException {
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere")).resolve("p.onnx");
    Path taken = elsewhere.resolveSibling("p.onnx.linked.data");
    Files.writeString(taken, "something else");

    Cli refused = rewrite(elsewhere, "--link", "--no-verify");

    refused.fails(BAD_INPUT, taken + ": exists already; --force replaces it");
    assertThat(refused.err()).doesNotContain("calibrating");
    assertThat(taken).hasContent("something else");
  }

  @Test
  void isTheModelThatWouldBeWrittenWithoutLinks() throws IOException {
    Path whole = folder.resolve("whole.onnx");
    Path packed = folder.resolve("packed.onnx");
    rewrite(whole, "--no-verify").succeeds();
    rewrite(linked, "--link", "--no-verify").succeeds();

    pack(linked, packed).succeeds();

    assertThat(whole(linked)).isEqualTo(whole(whole)).isEqualTo(whole(packed));
    assertThat(folder.resolve("packed.onnx.data"))
        .hasSameBinaryContentAs(folder.resolve("whole.onnx.data"));
  }

  @Tag("exhaustive")
  @Test
  void aHardLinkIsMadeInAnotherFolder() throws IOException {
    Path other = Files.createDirectory(folder.resolve("other"));
    Path out = other.resolve("p.onnx");

    rewrite(out, "--link", "--no-verify").succeeds();
    rewrite(other.resolve("q.onnx"), "--link", "--no-verify").succeeds();

    assertThat(Cli.names(other))
        .containsExactly(
            "p.onnx",
            "p.onnx.data",
            "p.onnx.linked.data",
            "q.onnx",
            "q.onnx.data",
            "q.onnx.linked.data");
    assertThat(Files.isSameFile(data, other.resolve("p.onnx.linked.data"))).isTrue();
    Cli.run(
            "verify",
            model,
            out,
            "--data",
            TwoLayers.MODEL.resolveSibling("calibration.txt"),
            "--limit",
            1)
        .succeeds();
  }

  @ParameterizedTest
  @ValueSource(strings = {"--link", "--external"})
  void whatReplacesALinkedModelLeavesTheOriginalAlone(String placement) throws IOException {
    Path out = Files.createDirectory(folder.resolve("other")).resolve("p.onnx");
    rewrite(out, "--link", "--no-verify").succeeds();

    rewrite(out, placement, "--no-verify", "--force").succeeds();

    assertThat(OnnxReader.read(out).sources()).isNotEmpty();
  }

  @Test
  void aModelThatWouldTakeThePlaceOfALinkIsRefused() throws IOException {
    Path other = Files.createDirectory(folder.resolve("other"));
    rewrite(other.resolve("p.onnx"), "--link", "--no-verify").succeeds();

    rewrite(other.resolve("p.onnx.linked"), "--no-verify", "--force")
        .fails(BAD_INPUT, "p.onnx.linked.data: is read as an input");
  }

  @Test
  void dataThatALinkedModelReadsStay(@TempDir Path elsewhere) throws IOException {
    Path other = elsewhere.resolve("other.onnx");
    rewrite(linked, "--link", "--no-verify").succeeds();
    pack(model, other, "--external").succeeds();

    assertThat(pack(other, model, "--force", "--external").succeeds().out())
        .contains("written  " + folder.resolve("model.onnx-2.data"));
    pack(other, model, "--force", "--inline").succeeds();

    assertThat(Cli.names(folder)).doesNotContain("model.onnx-2.data");
  }

  @Test
  void aFileThatHasTheNameOfTheLinkIsKept() throws IOException {
    Path other = Files.createDirectory(folder.resolve("other"));
    Path mine = Files.writeString(other.resolve("p.onnx.linked.data"), "mine");

    rewrite(other.resolve("p.onnx"), "--link", "--no-verify")
        .fails(BAD_INPUT, "p.onnx.linked.data: exists already");

    assertThat(mine).hasContent("mine");
  }

  @Test
  void ofALinkedModelRefersToAllItsData() throws IOException {
    Path other = Files.createDirectory(folder.resolve("other"));
    rewrite(other.resolve("p.onnx"), "--link", "--no-verify").succeeds();
    Path again = Files.createDirectory(folder.resolve("again")).resolve("again.onnx");

    pack(other.resolve("p.onnx"), again).succeeds();

    assertThat(Files.size(again.resolveSibling("again.onnx.data"))).isLessThan(weights.length);
  }

  @Test
  void aFolderIsLinkedAsAWhole() throws IOException {
    Path models = Files.createDirectory(folder.resolve("models"));
    OnnxWriter.write(
        OnnxReader.read(TwoLayers.MODEL), models.resolve("model.onnx"), Placement.EXTERNAL);
    Path out = folder.resolve("pruned");
    Path whole = folder.resolve("whole");
    model = models;

    rewrite(out, "--link", "--no-verify").succeeds();
    pack(out, whole).succeeds();

    assertThat(Cli.names(out))
        .containsExactly("model.onnx", "model.onnx.data", "model.onnx.linked.data");
    assertThat(whole(whole.resolve("model.onnx"))).isEqualTo(whole(out.resolve("model.onnx")));
    assertThat(Cli.names(whole)).containsExactly("model.onnx", "model.onnx.data");
  }

  @Test
  void anotherFileSystemCannotBeLinked() throws IOException {
    assumeThat(OTHER_FILE_SYSTEM).isDirectory().isWritable();
    assumeThat(Files.getFileStore(OTHER_FILE_SYSTEM)).isNotEqualTo(Files.getFileStore(folder));
    Path out = Files.createTempDirectory(OTHER_FILE_SYSTEM, "mone-onnx").resolve("p.onnx");
    try {
      rewrite(out, "--link", "--no-verify")
          .fails(BAD_INPUT, out + ": no hard link to " + data, "without --link");
      assertThat(out.getParent()).isEmptyDirectory();

      rewrite(out, "--no-verify").succeeds();
      assertThat(Cli.names(out.getParent())).containsExactly("p.onnx", "p.onnx.data");
    } finally {
      Files.deleteIfExists(out);
      Files.deleteIfExists(out.resolveSibling("p.onnx.data"));
      Files.delete(out.getParent());
    }
  }

  @Test
  void weightsInTheModelFileCannotBeLinked() {
    model = TwoLayers.MODEL;

    rewrite(linked, "--link").fails(BAD_INPUT, "its weights are in the model file itself");
  }

  @Test
  void linkAndInlineAreTwoPlaces() {
    assertThat(rewrite(linked, "--link", "--inline").code()).isEqualTo(BAD_INPUT);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--no-verify", "--ratio=0.5", "--profile=p", "--link", "--device=cpu"})
  void packingTakesNoOptionOfARewrite(String option) {
    pack(model, folder.resolve("packed.onnx"), option)
        .fails(BAD_INPUT, "--pack copies a model as it is; leave out " + option.split("=", 2)[0]);
  }

  @Test
  void packingWantsAnOutput() {
    Cli.run("rewrite", "--pack", model).fails(BAD_INPUT, "--pack: found no -o");
  }

  @Test
  void packingReplacesNoInput() {
    pack(model, model, "--force").fails(BAD_INPUT, "is read as an input");
  }

  @Test
  void packingPutsTheWeightsWhereTheyAreWanted() throws IOException {
    Path whole = folder.resolve("whole.onnx");

    pack(model, whole, "--inline").succeeds();

    assertThat(Files.size(whole)).isGreaterThan(weights.length / 2);
    assertThat(folder.resolve("whole.onnx.data")).doesNotExist();
  }
}
