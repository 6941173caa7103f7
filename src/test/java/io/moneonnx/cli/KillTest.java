package io.moneonnx.cli;

import static io.moneonnx.cli.ExitCode.BAD_INPUT;
import static io.moneonnx.cli.ExitCode.DONE;
import static io.moneonnx.cli.ExitCode.ENVIRONMENT;
import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.cli.FileCalls.Ended;
import io.moneonnx.data.Fixtures;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whichever of its calls to the file system a program is killed at, the old output or the new one
 * is complete, and the next run finds and removes what else is there: {@code docs/reliability.md}.
 */
class KillTest {
  private static final int HIDDEN = 32;
  private static final int TOKENS = 24;

  /** How often commands are killed, all together, and how often a call fails. */
  private static final int KILLS = Integer.getInteger("kills", Writing.values().length);

  private static final int FAILURES = KILLS / 5;

  /** Commands that write; {@code @} stands for the folder with their files. */
  enum Writing {
    A_MODEL("out.onnx", "rewrite @m.onnx --profile @p --ratio 0.5 --no-verify -o @out.onnx"),
    A_MODEL_WITH_DATA("out.onnx", A_MODEL.line + " --external"),
    A_PROVED_MODEL(
        "out.onnx",
        "rewrite @m.onnx --data @x1.npz --ratio 0.5 --external --threads 1 -o @out.onnx"),
    OVER_A_MODEL("out.onnx", A_MODEL.line + " --inline --force", A_MODEL.older()),
    OVER_A_MODEL_WITH_DATA(
        "out.onnx", A_MODEL_WITH_DATA.line + " --force", A_MODEL_WITH_DATA.older()),
    IN_ONE_FILE_OVER_DATA("out.onnx", OVER_A_MODEL.line, A_MODEL_WITH_DATA.older()),
    A_LINKED_MODEL(
        "linked/out.onnx",
        "rewrite @m.onnx --profile @p --ratio 0.5 --no-verify --link -o @linked/out.onnx"),
    OVER_A_LINKED_MODEL(
        "linked/out.onnx", A_LINKED_MODEL.line + " --force", A_LINKED_MODEL.older()),
    A_PACKED_MODEL(
        "packed.onnx",
        "rewrite --pack @linked/out.onnx --external -o @packed.onnx",
        A_LINKED_MODEL.line),
    A_FOLDER("pruned", "rewrite @folder --profile @p --ratio 0.5 --no-verify -o @pruned"),
    OVER_A_FOLDER("pruned", A_FOLDER.line + " --force", A_FOLDER.older()),
    A_PLAN("plan.json", "plan @p --ratio 0.5 -o @plan.json"),
    OVER_A_PLAN("plan.json", A_PLAN.line + " --force", A_PLAN.older()),
    A_MERGED_PROFILE("all", "merge @p @q -o @all"),
    AN_EXPORT("p.json", "export @p --format json -o @p.json --force", "export @q -o @p.json"),
    GOLDEN_OUTPUTS("golden", "golden record @m.onnx --data @x1.npz -o @golden --threads 1"),
    A_REPORT(
        "report.xml",
        "golden check @m.onnx @golden --junit @report.xml --threads 1",
        GOLDEN_OUTPUTS.line),
    A_PROFILE(
        "out", "calibrate @m.onnx --data a=@x1.npz b=@x2.npz --checkpoint 1ms --threads 1 -o @out"),
    OVER_A_PROFILE("out", A_PROFILE.line + " --force", "merge @p @q -o @out"),
    A_RESUMED_PROFILE("out", A_PROFILE.line + " --resume");

    private final String output;
    private final String line;
    private final String before;

    Writing(String output, String line) {
      this(output, line, "");
    }

    Writing(String output, String line, String before) {
      this.output = output;
      this.line = line;
      this.before = before;
    }

    private String older() {
      return line.replace("--ratio 0.5", "--ratio 0.25");
    }

    /** What is said after a kill: a calibration goes on. */
    private String next() {
      return this == A_PROFILE ? A_RESUMED_PROFILE.line : line;
    }

    /** What is there already is replaced, or found to be done. */
    private boolean replaces() {
      return next().contains("--force") || next().contains("--resume") || this == A_REPORT;
    }

    private List<String> arguments(String text, Path folder) {
      return Arrays.asList(text.replace("@", folder + "/").split(" "));
    }
  }

  @TempDir private static Path shared;
  @TempDir private Path folder;

  private static FileCalls calls;
  private static int tried;
  private static int kills;
  private static int failures;
  private static Path given;

  /** Counts the folders that commands run in. */
  private int runs;

  @BeforeAll
  static void laysOut() throws Exception {
    calls = FileCalls.prepare(Files.createDirectory(shared.resolve("calls")));
    given = Files.createDirectory(shared.resolve("given"));
    Files.createDirectories(given.resolve("folder/notes"));
    for (String name : List.of("linked", "tmp")) {
      Files.createDirectory(given.resolve(name));
    }
    TinyMoe tiny = TinyMoe.Spelling.TORCHSCRIPT.of(4, 2, HIDDEN);
    for (Path model : List.of(given.resolve("m.onnx"), given.resolve("folder/m.onnx"))) {
      OnnxWriter.write(tiny.model(), model, Placement.EXTERNAL);
    }
    Files.writeString(given.resolve("folder/notes/read.me"), "a model");
    for (String name : List.of("x1", "x2")) {
      Fixtures.npz(given.resolve(name + ".npz"), Map.of("x", array(tiny, name.hashCode())));
    }
    run(given, "calibrate @m.onnx --data @x1.npz -o @p --threads 1").succeeds();
    run(given, "calibrate @m.onnx --data @x2.npz -o @q --threads 1").succeeds();
  }

  private static byte[] array(TinyMoe tiny, long seed) {
    ByteBuffer x = tiny.tokens(TOKENS, seed).bytes();
    byte[] elements = new byte[x.remaining()];
    x.get(elements);
    return Fixtures.npy("<f4", "(%d, %d)".formatted(TOKENS, HIDDEN), elements);
  }

  private static Cli run(Path folder, String line) {
    return Cli.run((Object[]) line.replace("@", folder + "/").split(" "));
  }

  /** A command, with what is there before it, and after it if nothing happens. */
  private final class Trial {
    private final Writing writing;
    private final Path prepared;
    private final String old;
    private final String made;
    private final Set<String> names;
    private final List<String> done;

    Trial(Writing writing) throws Exception {
      this.writing = writing;
      this.prepared = prepare();
      this.old = content(prepared);
      Path whole = again();
      Ended ended = calls.run(whole, writing.arguments(writing.line, whole));
      assertThat(ended.code()).as(ended.err()).isZero();
      this.done = ended.calls();
      assertThat(done).as("what %s calls", writing).isNotEmpty();
      this.made = content(whole);
      this.names = names(whole);
      assertThat(made).isNotEqualTo(old);
      assertThat(ahead())
          .as("%s, calls that are ahead of the disk, of %s", writing, done)
          .isEmpty();
    }

    /**
     * Calls after which a machine that loses power may have lost what an earlier one did that they
     * need: a name is given before its content is on the disk, or the output's before that of its
     * weights, or something is removed before the name of what replaces it is there.
     */
    private List<String> ahead() {
      List<String> ahead = new ArrayList<>();
      Set<String> written = new TreeSet<>();
      Set<String> named = new TreeSet<>();
      for (String call : done) {
        String[] words = call.split(" ", -1);
        String path = words[1];
        boolean isHidden = path.contains(".tmp-") && !path.contains("-replaced");
        switch (words[0]) {
          case "write", "ftruncate64" -> written.add(path);
          case "fsync", "fdatasync" -> {
            written.remove(path);
            named.remove(path);
          }
          case "rename" -> {
            if (written.stream().anyMatch(each -> (each + "/").startsWith(path + "/"))
                || (words[2].equals(writing.output) && !named.isEmpty())) {
              ahead.add(call);
            }
            if (!words[2].endsWith("-replaced")) {
              named.add(words[2].contains("/") ? words[2].replaceFirst("/[^/]*$", "") : "");
            }
          }
          case "unlink", "rmdir" -> {
            if (!named.isEmpty() && !isHidden) {
              ahead.add(call);
            }
          }
          default -> {}
        }
      }
      named.forEach(folder -> ahead.add("the end, for names in '" + folder + "'"));
      return ahead;
    }

    private Path prepare() throws Exception {
      Path start = copy(given);
      if (!writing.before.isEmpty()) {
        run(start, writing.before).succeeds();
      }
      if (writing == Writing.A_RESUMED_PROFILE) {
        List<String> line = writing.arguments(Writing.A_PROFILE.line, start);
        Path whole = copy(given);
        List<String> all =
            calls.run(whole, writing.arguments(Writing.A_PROFILE.line, whole)).calls();
        int checkpoint =
            IntStream.range(0, all.size())
                .filter(i -> all.get(i).startsWith("rename"))
                .findFirst()
                .orElseThrow();
        assertThat(calls.kill(start, line, checkpoint + 2).code()).isEqualTo(FileCalls.KILLED);
        assertThat(start.resolve("out.partial")).exists();
      }
      return start;
    }

    private Path again() throws IOException {
      return copy(prepared);
    }

    /** What the output computes or says, wherever its weights lie. */
    private String content(Path in) throws IOException {
      return KillTest.content(in.resolve(writing.output));
    }

    /** Calls to be killed at: of equal ones in a row, the first, unless there is time for all. */
    private List<Integer> points(int most) {
      List<Integer> all = IntStream.rangeClosed(1, done.size()).boxed().toList();
      List<Integer> first =
          all.stream()
              .filter(i -> i == 1 || !plain(done.get(i - 1)).equals(plain(done.get(i - 2))))
              .toList();
      List<Integer> chosen = most < all.size() ? first : all;
      int times = Math.min(most, chosen.size());
      Set<Integer> points = new LinkedHashSet<>();
      for (int i = 0; i < times; i++) {
        points.add(chosen.get((int) ((i + 0.5) * chosen.size() / times)));
      }
      return List.copyOf(points);
    }

    private String plain(String call) {
      return call.replaceAll("tmp-[0-9]+", "tmp-");
    }

    void kill(int call) throws Exception {
      Path here = again();
      Ended ended = calls.kill(here, writing.arguments(writing.line, here), call);
      String moment = "%s, killed at call %d, %s".formatted(writing, call, done.get(call - 1));
      // How many checkpoints there are is a matter of time.
      boolean isOver = ended.code() == DONE && writing.line.contains("--checkpoint");
      assertThat(ended.code())
          .as("%s: %s", moment, ended.err())
          .isEqualTo(isOver ? DONE : FileCalls.KILLED);
      String found = content(here);
      boolean isMovedAway =
          writing == Writing.OVER_A_FOLDER && found.isEmpty() && !moved(here).isEmpty();
      assertThat(isMovedAway ? old : found).as(moment).isIn(old, made);
      goesOn(here, moment, found);
    }

    private List<String> moved(Path here) throws IOException {
      return Cli.names(here).stream().filter(name -> name.endsWith("-replaced")).toList();
    }

    private void goesOn(Path here, String moment, String found) throws IOException {
      Set<String> left = names(here);
      left.removeAll(names);
      left.removeAll(names(prepared));
      Cli next = run(here, writing.next());
      if (found.equals(made) && !writing.replaces()) {
        assertThat(next.code()).as("%s, again: %s", moment, next.err()).isEqualTo(BAD_INPUT);
        assertThat(next.err()).as(moment).contains("exists already");
      } else {
        assertThat(next.code()).as("%s, again: %s", moment, next.err()).isEqualTo(DONE);
      }
      assertThat(content(here)).as("%s, again: %s", moment, next.err()).isEqualTo(made);
      assertThat(names(here)).as("%s, again: %s", moment, next.err()).isEqualTo(names);
      if (left.stream().anyMatch(name -> !name.startsWith("tmp/"))) {
        assertThat(next.err())
            .as("%s, which left %s", moment, left)
            .containsPattern("killed|resuming from|is complete");
      }
    }

    void fail(int call) throws Exception {
      Path here = again();
      Ended ended = calls.fail(here, writing.arguments(writing.line, here), call);
      String moment =
          "%s, of which call %d fails, %s: %s"
              .formatted(writing, call, done.get(call - 1), ended.err());
      String found = content(here);
      assertThat(found).as(moment).isIn(old, made);
      boolean isLink = done.get(call - 1).startsWith("link ");
      assertThat(ended.code()).as(moment).isIn(DONE, isLink ? BAD_INPUT : ENVIRONMENT);
      assertThat(ended.err().lines().filter(line -> line.startsWith("mone-onnx: ")))
          .as(moment)
          .hasSize(ended.code() == DONE ? 0 : 1);
      assertThat(ended.err()).as(moment).doesNotContain("\tat ");
      if (ended.code() == DONE) {
        assertThat(found).as(moment).isEqualTo(made);
      }
      if (!done.get(call - 1).matches("(unlink|rmdir|rename) .*")) {
        Set<String> left = names(here);
        left.remove("out.partial");
        Set<String> before = names(prepared);
        before.remove("out.partial");
        assertThat(left).as(moment).isIn(names, before);
      }
      goesOn(here, moment, found);
    }
  }

  private Path copy(Path from) throws IOException {
    Path to = folder.resolve(Integer.toString(++runs));
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : all.toList()) {
        Files.copy(path, to.resolve(from.relativize(path).toString()));
      }
    }
    return to;
  }

  /** Names of all that is below a folder; data files of one model by turns have two. */
  private static Set<String> names(Path folder) throws IOException {
    Set<String> names = new TreeSet<>();
    try (Stream<Path> all = Files.walk(folder)) {
      all.map(path -> folder.relativize(path).toString())
          .filter(name -> !name.matches("tmp/onnxruntime-java[0-9]+"))
          .map(name -> name.replaceFirst("-[0-9]+(?=\\.data$)", ""))
          .forEach(names::add);
    }
    return names;
  }

  /** What a file or folder says, wherever weights lie; empty where there is none. */
  private static String content(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      Map<String, String> all = new TreeMap<>();
      try (Stream<Path> files = Files.walk(path)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          if (!file.toString().endsWith(".data")) {
            all.put(path.relativize(file).toString(), content(file));
          }
        }
      }
      return all.toString();
    } else if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return "";
    }
    CRC32C sum = new CRC32C();
    if (path.toString().endsWith(".onnx")) {
      Graph graph = OnnxReader.read(path).graph();
      Map<String, Tensor> constants = new LinkedHashMap<>();
      graph
          .initializers()
          .forEach((name, initializer) -> constants.put(name, initializer.tensor()));
      for (Map.Entry<String, Tensor> constant : new TreeMap<>(constants).entrySet()) {
        sum.update(constant.getKey().getBytes(StandardCharsets.UTF_8));
        sum.update(constant.getValue().bytes().duplicate());
      }
      sum.update(graph.nodes().size());
    } else {
      sum.update(Files.readAllBytes(path));
    }
    return Long.toHexString(sum.getValue());
  }

  @Test
  void losesNothing() throws Exception {
    Trial trial = new Trial(Writing.OVER_A_MODEL_WITH_DATA);
    for (int call : trial.points(4)) {
      trial.kill(call);
    }
  }

  @Tag("exhaustive")
  @ParameterizedTest
  @EnumSource
  void losesNothingAtAnyCall(Writing writing) throws Exception {
    Trial trial = new Trial(writing);
    int commands = Writing.values().length - tried++;
    List<AssertionError> faults = new ArrayList<>();
    for (int call : trial.points((KILLS - kills) / commands)) {
      kills++;
      faults.addAll(fault(() -> trial.kill(call)));
    }
    for (int call : trial.points((FAILURES - failures) / commands)) {
      failures++;
      faults.addAll(fault(() -> trial.fail(call)));
    }
    System.out.printf(
        "%s: %d calls; %d kills and %d failures so far%n",
        writing, trial.done.size(), kills, failures);
    assertThat(faults).isEmpty();
  }

  /** Part of a trial. */
  @FunctionalInterface
  private interface Part {
    void run() throws Exception;
  }

  /** All faults are told, not only the first. */
  private static List<AssertionError> fault(Part part) throws Exception {
    try {
      part.run();
      return List.of();
    } catch (AssertionError e) {
      return List.of(e);
    }
  }
}
