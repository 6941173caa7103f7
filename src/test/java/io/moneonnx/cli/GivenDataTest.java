package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.profile.Profile;
import io.moneonnx.profile.ProfileFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Data from elsewhere than a plain file are measured as that file would be. */
class GivenDataTest {
  private static final String FEW_WORDS =
      """
      {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"},
       "model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "God": 1, "the": 2}}}
      """;
  private static final String FIRST = "In the beginning God created the heaven and the earth. ";
  private static final String SECOND = "And the evening and the morning were the first day. ";

  @TempDir private Path folder;
  private Path texts;

  @BeforeEach
  void writesTexts() throws IOException {
    texts = Files.createDirectory(folder.resolve("texts"));
    Files.writeString(texts.resolve("a.txt"), FIRST.repeat(20));
    Files.writeString(
        texts.resolve("b.jsonl"), "{\"text\": \"%s\"}\n".formatted(SECOND.repeat(20)));
  }

  private Cli calibrate(String name, Object... data) {
    Object[] args = {
      "calibrate", "-o", folder.resolve(name), "--device", "cpu", "--threads", 1, "--seq-len", 32
    };
    Object[] all = new Object[args.length + data.length + 2];
    System.arraycopy(args, 0, all, 0, args.length);
    all[args.length] = "--data";
    System.arraycopy(data, 0, all, args.length + 1, data.length);
    all[all.length - 1] = TwoLayers.MODEL;
    return Cli.run(all).succeeds();
  }

  private Cli calibratePiped(String name, String text, Object... options) {
    InputStream before = System.in;
    try {
      System.setIn(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
      return calibrate(name, Stream.concat(Stream.of("-"), Stream.of(options)).toArray());
    } finally {
      System.setIn(before);
    }
  }

  private Profile profile(String name) {
    return ProfileFile.read(folder.resolve(name));
  }

  @Test
  void aFolderAndWildcardsStandForTheFiles() throws IOException {
    Files.writeString(texts.resolve("notes"), "not read");
    Files.writeString(texts.resolve(".hidden.txt"), "not read");
    Files.createDirectory(texts.resolve("more.txt"));
    calibrate("files", texts.resolve("a.txt"), texts.resolve("b.jsonl"));

    Cli ofFolder = calibrate("folder", texts);
    Cli ofPattern = calibrate("pattern", texts.resolve("*.{txt,jsonl}"));

    assertThat(ofFolder.err()).contains(texts + ": left out, for their names are not", ": notes\n");
    assertThat(ofPattern.err()).doesNotContain("left out");
    assertThat(folder.resolve("folder")).hasSameBinaryContentAs(folder.resolve("files"));
    assertThat(folder.resolve("pattern")).hasSameBinaryContentAs(folder.resolve("files"));
  }

  /** A program of its own that reads standard input; its temporary files are in {@code tmp}. */
  private Process start(Path tmp, Path out) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Djava.io.tmpdir=" + tmp,
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            Main.class.getName(),
            "calibrate",
            TwoLayers.MODEL.toString(),
            "-o",
            out.toString(),
            "--data",
            "-",
            "--seq-len",
            "32",
            "--device",
            "cpu",
            "--threads",
            "1",
            "--checkpoint",
            "1ms")
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** Folders of piped data, made to look older than they are. */
  private static List<Path> piped(Path tmp) throws IOException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(tmp, "mone-onnx-piped-*")) {
      for (Path each : all) {
        Files.setLastModifiedTime(each, FileTime.from(Instant.now().minusSeconds(60)));
        found.add(each);
      }
    }
    return found;
  }

  private void readsNothing(Path tmp) throws Exception {
    Process process = start(tmp, folder.resolve("nothing"));
    process.getOutputStream().close();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void whatAKilledProgramLeftOfStandardInputIsRemovedByTheNext() throws Exception {
    Path tmp = Files.createDirectory(folder.resolve("tmp"));
    Process reading = start(tmp, folder.resolve("reading"));
    while (piped(tmp).isEmpty() || !Files.exists(piped(tmp).get(0).resolve("standard-input"))) {
      assertThat(reading.isAlive()).isTrue();
      Thread.sleep(10);
    }

    List<Path> live = piped(tmp);
    readsNothing(tmp);
    assertThat(piped(tmp)).isEqualTo(live).hasSize(1);

    reading.destroyForcibly().waitFor();
    assertThat(piped(tmp)).isEqualTo(live);
    readsNothing(tmp);
    assertThat(piped(tmp)).isEmpty();
  }

  @Test
  void aKilledCalibrationOfStandardInputIsResumed() throws Exception {
    String text = Files.readString(Cli.OLMOE.resolveSibling("heldout.txt"));
    Path partial = folder.resolve("killed.partial");
    Process killed = start(Files.createDirectory(folder.resolve("tmp")), folder.resolve("killed"));
    try (OutputStream in = killed.getOutputStream()) {
      in.write(text.getBytes(StandardCharsets.UTF_8));
    }
    while (!Files.exists(partial) && killed.isAlive()) {
      Thread.sleep(1);
    }
    killed.destroyForcibly().waitFor();
    assertThat(partial).exists();

    calibratePiped("whole", text);
    Cli resumed = calibratePiped("killed", text, "--resume");

    assertThat(resumed.err()).contains("runs of the model are done");
    assertThat(folder.resolve("killed")).hasSameBinaryContentAs(folder.resolve("whole"));
  }

  @Test
  void poorTokensAreWarnedOfBeforeAndAfter() throws IOException {
    Path blank = Files.writeString(folder.resolve("blank.txt"), " the".repeat(500));
    Path words = Files.writeString(folder.resolve("tokenizer.json"), FEW_WORDS);

    Cli one = calibrate("one", blank);
    Cli unknown = calibrate("unknown", texts.resolve("a.txt"), "--tokenizer", words);

    assertThat(warnings(one))
        .hasSize(2)
        .allMatch(line -> line.startsWith("WARNING: " + blank + ": "))
        .allMatch(line -> line.contains("over and over"));
    assertThat(one.err()).containsSubsequence("WARNING: ", "calibrating on", "WARNING: ");
    assertThat(warnings(unknown))
        .hasSize(2)
        .allMatch(line -> line.contains("140 of 220 tokens (63.6%) are unknown"));
    assertThat(warnings(calibrate("fine", texts))).isEmpty();
  }

  @Test
  void poorTokensAreWarnedOfWhereTheyAreForeseen() throws IOException {
    Path blank = Files.writeString(folder.resolve("blank.txt"), " the".repeat(500));
    Path words = Files.writeString(folder.resolve("tokenizer.json"), FEW_WORDS);
    Path items =
        Files.writeString(
            folder.resolve("items.jsonl"),
            "{\"context\": \"In the\", \"choices\": [\" beginning\", \" end\"], \"label\": 0}\n");

    assertThat(warnings(eval("--perplexity", blank)))
        .hasSize(1)
        .first()
        .asString()
        .contains("" + blank);
    assertThat(warnings(eval("--perplexity", texts))).isEmpty();
    assertThat(warnings(eval("--tasks", items, "--tokenizer", words)))
        .singleElement()
        .asString()
        .contains(items + ": 4 of 6 tokens (66.7%) are unknown");
  }

  private static List<String> warnings(Cli run) {
    return run.err().lines().filter(line -> line.startsWith("WARNING: ")).toList();
  }

  private static Cli eval(Object... options) {
    Object[] all = {"eval", TwoLayers.MODEL, "--device", "cpu"};
    return Cli.run(Stream.of(all, options).flatMap(Stream::of).toArray()).succeeds();
  }

  @Test
  void packedTextIsMeasuredAsTextAndNamedAsItIs() throws IOException {
    Path packed = texts.resolve("b.jsonl.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
      Files.copy(texts.resolve("b.jsonl"), out);
    }

    calibrate("plain", texts.resolve("b.jsonl"));
    calibrate("packed", packed);

    Profile.Source source = profile("packed").runs().get(0).sources().get(0);
    assertThat(source.bytes()).isEqualTo(Files.size(packed));
    assertThat(source.sha256())
        .isNotEqualTo(profile("plain").runs().get(0).sources().get(0).sha256());
    assertThat(profile("packed").tokens()).isEqualTo(profile("plain").tokens());
    assertThat(profile("packed").blocks().toString())
        .isEqualTo(profile("plain").blocks().toString());
  }

  @Test
  void standardInputIsMeasuredAsAFileWithTheSame() {
    String text = FIRST.repeat(20);
    calibrate("plain", texts.resolve("a.txt"));

    calibratePiped("piped", text);
    calibratePiped("again", text);

    Profile.Source piped = profile("piped").runs().get(0).sources().get(0);
    Profile.Source plain = profile("plain").runs().get(0).sources().get(0);
    assertThat(folder.resolve("again")).hasSameBinaryContentAs(folder.resolve("piped"));
    assertThat(List.of(piped.sha256(), piped.bytes(), piped.tokens()))
        .isEqualTo(List.of(plain.sha256(), plain.bytes(), plain.tokens()));
  }
}
