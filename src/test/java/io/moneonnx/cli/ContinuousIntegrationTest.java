package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.cli.Markdown.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import picocli.CommandLine.ParseResult;

/** The jobs of docs/ci.md are what the page says, and do what it says. */
class ContinuousIntegrationTest {
  private static final Markdown PAGE = new Markdown(Path.of("docs", "ci.md"));

  /**
   * Characters of text that are enough for a model of 256 tokens to be calibrated and tested on.
   */
  private static final int TEXT = 6_000;

  @TempDir private Path folder;

  private List<String> github;
  private List<String> gitlab;

  @BeforeEach
  void readsBothJobs() throws IOException {
    List<String> jobs = PAGE.blocks("yaml");
    assertThat(jobs).hasSize(2);
    List<?> steps = (List<?>) at(read(jobs.get(0)), "jobs", "gates", "steps");
    github =
        steps.stream()
            .map(step -> (Map<?, ?>) step)
            .filter(step -> step.containsKey("run"))
            .map(step -> (String) step.get("run"))
            .toList();
    List<?> script = (List<?>) at(read(jobs.get(1)), "gates", "script");
    gitlab = script.stream().map(String.class::cast).toList();
  }

  private static Object read(String yaml) {
    return new Yaml(new SafeConstructor(new LoaderOptions())).load(yaml);
  }

  private static Object at(Object node, String... path) {
    Object found = node;
    for (String key : path) {
      assertThat(found).as("%s of %s", key, found).isInstanceOf(Map.class);
      found = ((Map<?, ?>) found).get(key);
    }
    return found;
  }

  private static List<Shell> commands(List<String> scripts) {
    return scripts.stream().flatMap(script -> Shell.of(script).stream()).toList();
  }

  @Test
  void everyCommandOfBothParses() {
    assertThat(Stream.of(github, gitlab).flatMap(job -> commands(job).stream()))
        .isNotEmpty()
        .allSatisfy(DocumentationTest::commandOf);
  }

  @Test
  void bothGateTheSame() {
    assertThat(commands(gitlab)).isEqualTo(commands(github));
    assertThat(commands(github).stream().map(ContinuousIntegrationTest::command))
        .containsExactly("rewrite", "verify --exact", "verify", "golden check", "eval");
  }

  private static String command(Shell line) {
    ParseResult parsed = DocumentationTest.commandOf(line);
    String name = parsed.commandSpec().qualifiedName().replace("mone-onnx ", "");
    return parsed.hasMatchedOption("--exact") ? name + " --exact" : name;
  }

  /**
   * In a folder laid out as the page says, with a model that was trained and a part of its text.
   */
  @Tag("exhaustive")
  @Test
  void whatIsMadeByHandPassesTheGates() throws Exception {
    layOut();

    run(PAGE.blocks("").get(0));
    Files.move(folder.resolve("pruned"), folder.resolve("by-hand"));
    run(String.join("\n", gitlab));

    assertThat(folder.resolve("pruned/model.onnx"))
        .hasSameBinaryContentAs(folder.resolve("by-hand/model.onnx"));
    for (String report : List.of("exact.xml", "drift.xml", "golden.xml")) {
      assertThat(folder.resolve(report)).content().contains("<testcase").doesNotContain("<failure");
    }
    assertThat(folder.resolve("perplexity.json")).content().contains("\"natsPerToken\"");
  }

  private void layOut() throws IOException {
    Path model = Files.createDirectory(folder.resolve("model"));
    Files.createDirectory(folder.resolve("gate"));
    for (String name : List.of("model.onnx", "tokenizer.json", "config.json")) {
      Files.copy(Cli.OLMOE.resolveSibling(name), model.resolve(name));
    }
    for (String name : List.of("calibration.txt", "heldout.txt")) {
      String text = Files.readString(Cli.OLMOE.resolveSibling(name));
      Files.writeString(model.resolve(name), text.substring(0, TEXT));
    }
    Path launcher = Files.createDirectory(folder.resolve("mone-onnx")).resolve("mone-onnx");
    Files.writeString(
        launcher,
        "#!/bin/sh%nexec '%s' -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp '%s' %s \"$@\"%n"
            .formatted(
                Path.of(System.getProperty("java.home"), "bin", "java"),
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                Main.class.getName()));
    assertThat(launcher.toFile().setExecutable(true)).isTrue();
  }

  /** Runs a script as the services do: the first command that fails ends it. */
  private void run(String script) throws IOException, InterruptedException {
    Path log = folder.resolve("log.txt");
    ProcessBuilder shell =
        new ProcessBuilder("bash", "-e", "-c", "export PATH=\"$PWD/mone-onnx:$PATH\"\n" + script)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());

    assertThat(shell.start().waitFor()).as(() -> text(log)).isZero();
  }

  private static String text(Path log) {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      return e.getMessage();
    }
  }
}
