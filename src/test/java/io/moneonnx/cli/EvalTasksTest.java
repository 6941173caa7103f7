package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Multiple choice on a real model, as a user sees it. */
class EvalTasksTest {
  private static final Path ITEMS = Path.of("test-data", "choices", "kjv.jsonl");
  private static final Path EXPECTED = ITEMS.resolveSibling("kjv.expected.jsonl");

  @TempDir Path folder;

  private static Cli eval(Object... options) {
    return Cli.run(
        Stream.concat(
                Stream.of("eval", Cli.OLMOE, "--device", "cpu", "--threads", 1),
                Arrays.stream(options))
            .toArray());
  }

  private static List<JsonObject> lines(Path file) throws IOException {
    return Files.readAllLines(file).stream()
        .map(line -> JsonParser.parseString(line).getAsJsonObject())
        .toList();
  }

  /** What lm-evaluation-harness itself found: see {@code test-data/README.md}. */
  @Test
  void everyItemIsScoredAsTheHarnessScoresIt() throws IOException {
    Path samples = folder.resolve("samples.jsonl");

    eval("--tasks", ITEMS, "--samples", samples).succeeds();

    List<JsonObject> found = lines(samples);
    List<JsonObject> wanted = lines(EXPECTED);
    assertThat(found).hasSameSizeAs(wanted);
    for (int i = 0; i < wanted.size(); i++) {
      agree(found.get(i), wanted.get(i));
      assertThat(found.get(i).get("item").getAsString()).isEqualTo(ITEMS + ":" + (i + 1));
    }
  }

  private static void agree(JsonObject found, JsonObject wanted) {
    for (String key : List.of("lengths", "chosen", "chosenByLength", "acc", "acc_norm")) {
      assertThat(found.get(key)).as("%s of %s", key, found).isEqualTo(wanted.get(key));
    }
    JsonArray likelihoods = wanted.getAsJsonArray("logLikelihoods");
    for (int choice = 0; choice < likelihoods.size(); choice++) {
      assertThat(found.getAsJsonArray("logLikelihoods").get(choice).getAsDouble())
          .isCloseTo(likelihoods.get(choice).getAsDouble(), within(2e-4));
    }
  }

  @Test
  void theTableCountsWhatTheAnswersSay() {
    Cli found = eval("--tasks", ITEMS).succeeds();

    assertThat(found.out())
        .matches("task  items .*\\R" + "kjv      40  0\\.2750 .* 0\\.4750 .* acc\\R");
    assertThat(found.err()).contains("answering 40 items of " + ITEMS);
  }

  @Test
  void theAverageSaysWhatItIsOf() throws IOException {
    String item =
        "{\"context\": \"So\", \"choices\": [\"it\", \"be\"], \"label\": 0, \"group\": \"%s\"}";
    Path file =
        Files.write(
            folder.resolve("some.jsonl"),
            Stream.of("piqa", "mmlu_law", "mmlu_art", "rte").map(item::formatted).toList());

    Cli found = eval("--tasks", file).succeeds();

    assertThat(found.out())
        .containsPattern("mmlu_law +1 .* in mmlu\\R")
        .containsPattern("mmlu +2 .* acc\\R")
        .containsPattern("average .* over 3 tasks: acc of mmlu, rte; acc_norm of piqa\\R");
  }

  @Test
  void theLimitCountsForEachFile() throws IOException {
    Path other = Files.copy(ITEMS, folder.resolve("other.jsonl"));

    Cli found = eval("--tasks", ITEMS, other, "--limit", 2, "--json").succeeds();

    JsonObject json = JsonParser.parseString(found.out()).getAsJsonObject();
    JsonObject task = json.getAsJsonArray("tasks").get(0).getAsJsonObject();
    assertThat(task.get("items").getAsInt()).isEqualTo(4);
    assertThat(task.getAsJsonObject("acc").get("standardError").getAsDouble()).isNotNegative();
    assertThat(json.getAsJsonObject("average").get("tasks").getAsInt()).isEqualTo(1);
  }

  @Tag("exhaustive")
  @Test
  void batchesChangeNothing() throws IOException {
    Path alone = folder.resolve("alone.jsonl");
    Path many = folder.resolve("many.jsonl");

    eval("--tasks", ITEMS, "--limit", 6, "--batch", 1, "--samples", alone).succeeds();
    eval("--tasks", ITEMS, "--limit", 6, "--batch", 32, "--samples", many).succeeds();

    List<JsonObject> found = lines(many);
    List<JsonObject> wanted = lines(alone);
    for (int i = 0; i < wanted.size(); i++) {
      agree(found.get(i), wanted.get(i));
    }
  }

  @Test
  void aBadItemIsToldBeforeAnyWorkIsDone() throws IOException {
    Path samples = folder.resolve("samples.jsonl");
    Path bad = folder.resolve("bad.jsonl");
    Files.writeString(bad, Files.readAllLines(ITEMS).get(0) + "\n{\"context\": \"So\"}\n");

    eval("--tasks", bad, "--samples", samples)
        .fails(ExitCode.BAD_INPUT, bad + ":2: field 'choices': found nothing, expected a list");
    assertThat(samples).doesNotExist();
  }

  @Test
  void samplesReplaceNothingThatIsRead() throws IOException {
    Path copy = Files.createDirectory(folder.resolve("copy"));
    for (String name : List.of("model.onnx", "tokenizer.json", "config.json")) {
      Files.copy(Path.of("models/olmoe-tiny", name), copy.resolve(name));
    }

    for (String name : List.of("model.onnx", "tokenizer.json")) {
      Path read = copy.resolve(name);
      Cli.run("eval", copy, "--tasks", ITEMS, "--samples", read)
          .fails(ExitCode.BAD_INPUT, read + ": is read as an input");
      assertThat(read).hasSameBinaryContentAs(Path.of("models/olmoe-tiny", name));
    }
  }

  @Test
  void whatMakesNoSenseIsRefused() {
    eval("--tasks", ITEMS, "--perplexity", ITEMS)
        .fails(2, "--perplexity and --tasks: expected one");
    eval("--tasks", ITEMS, "--stride", 4).fails(2, "--stride: means nothing with --tasks");
    eval("--perplexity", ITEMS, "--samples", "x").fails(2, "--samples: means nothing with");
    eval("--tasks", ITEMS, ITEMS).fails(2, ITEMS + ": is given twice");
    eval("--tasks", ITEMS, "--limit", 0).fails(2, "number of items: found 0, expected 1 or more");
    eval("--tasks", ITEMS, "--batch", -1).fails(2, "batch size: found -1, expected 1 or more");
    eval("--tasks", ITEMS, "--samples", ITEMS).fails(2, ITEMS + ": is read as an input");
    eval("--tasks", "none.jsonl").fails(2, "none.jsonl: no such file");
  }
}
