package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EvalTest {
  private static final Path HELD_OUT = Cli.OLMOE.resolveSibling("heldout.txt");
  private static final Path TEXT = Path.of("test-data", "text", "documents.jsonl");

  @TempDir Path folder;

  private static Cli eval(Object... args) {
    return Cli.run(
        Stream.concat(
                Stream.of("eval", TwoLayers.MODEL, "--device", "cpu", "--threads", 1),
                Arrays.stream(args))
            .toArray());
  }

  private static JsonObject perplexity(Object... args) {
    return JsonParser.parseString(eval(args).succeeds().out())
        .getAsJsonObject()
        .getAsJsonObject("perplexity");
  }

  @Test
  void printsAColumnForEachMeasure() {
    List<String> lines =
        eval("--perplexity", HELD_OUT, "--limit", 4).succeeds().out().lines().toList();

    assertThat(lines).hasSize(2);
    assertThat(lines.get(0).split(" +"))
        .containsExactly(
            "source",
            "windows",
            "tokens",
            "nats",
            "error",
            "perplexity",
            "right",
            "bytes",
            "bits/byte",
            "ppl/byte");
    assertThat(lines.get(1)).startsWith(HELD_OUT + "        4   1,024  ");
  }

  @Test
  void severalSourcesHaveATotal() {
    List<String> lines =
        eval("--perplexity", "held=" + HELD_OUT, "docs=" + TEXT, "--limit", 2)
            .succeeds()
            .out()
            .lines()
            .toList();

    assertThat(lines).hasSize(4);
    assertThat(lines.get(1)).startsWith("held");
    assertThat(lines.get(2)).startsWith("docs");
    assertThat(lines.get(3)).startsWith("total");
  }

  @Test
  void jsonHasEverythingByName() {
    JsonObject found =
        perplexity("--perplexity", HELD_OUT, "--limit", 4, "--stride", 128, "--json");

    assertThat(found.get("window").getAsInt()).isEqualTo(256);
    assertThat(found.get("stride").getAsInt()).isEqualTo(128);
    JsonObject source = found.getAsJsonArray("sources").get(0).getAsJsonObject();
    assertThat(source.get("source").getAsString()).isEqualTo(HELD_OUT.toString());
    assertThat(source.get("tokens").getAsLong()).isEqualTo(256 + 3 * 128);
    double nats = source.get("natsPerToken").getAsDouble();
    assertThat(source.get("perplexity").getAsDouble()).isCloseTo(Math.exp(nats), within(1e-9));
    double bits = nats / Math.log(2) * source.get("tokens").getAsLong();
    assertThat(source.get("bitsPerByte").getAsDouble())
        .isCloseTo(bits / source.get("bytes").getAsLong(), within(1e-9));
    assertThat(found.getAsJsonObject("total").get("tokens")).isEqualTo(source.get("tokens"));
  }

  @Tag("exhaustive")
  @Test
  void batchesChangeNothingButTheTime() {
    Object[] some = {"--perplexity", HELD_OUT, "--limit", 6, "--window", 64, "--json"};
    JsonObject one = perplexity(some);
    JsonObject four =
        perplexity(Stream.concat(Arrays.stream(some), Stream.of("--batch", 4)).toArray());

    assertThat(four.getAsJsonObject("total").get("perplexity").getAsDouble())
        .isCloseTo(one.getAsJsonObject("total").get("perplexity").getAsDouble(), within(1e-4));
  }

  @Test
  void whatIsNotDefinedIsNull() throws IOException {
    Path one = Files.writeString(folder.resolve("a.txt"), "In the beginning God created");

    JsonObject total = perplexity("--perplexity", one, "--json").getAsJsonObject("total");

    assertThat(total.get("windows").getAsInt()).isOne();
    assertThat(total.get("standardError").isJsonNull()).isTrue();
  }

  @Test
  void saysWhatToMeasure() {
    eval().fails(ExitCode.BAD_INPUT, "--perplexity SRC");
  }

  @Test
  void aMissingFileIsNamed() {
    eval("--perplexity", "none.txt").fails(ExitCode.BAD_INPUT, "none.txt: no such file");
  }

  @Test
  void aWindowIsNoLongerThanTheContext() {
    eval("--perplexity", HELD_OUT, "--window", 512)
        .fails(ExitCode.BAD_INPUT, "512", "256 tokens that the model takes");
  }

  @Test
  void aStrideIsNoLongerThanAWindow() {
    eval("--perplexity", HELD_OUT, "--window", 64, "--stride", 65)
        .fails(ExitCode.BAD_INPUT, "stride: found 65, expected 1 to 64");
  }

  @Test
  void textWantsATokenizer() throws IOException {
    Path alone = Files.copy(TwoLayers.MODEL, folder.resolve("model.onnx"));

    Cli.run("eval", alone, "--perplexity", HELD_OUT)
        .fails(ExitCode.BAD_INPUT, "text needs a tokenizer");
    Cli.run(
            "eval",
            alone,
            "--perplexity",
            HELD_OUT,
            "--tokenizer",
            Cli.OLMOE.resolveSibling("tokenizer.json"),
            "--window",
            32,
            "--limit",
            1)
        .succeeds();
  }

  @Test
  void aModelThatForeseesNothingIsRefused() {
    Path relu = folder.resolve("relu.onnx");
    Graph graph = GraphText.parse("relu (float[N] x) => (float[N] y) { y = Relu (x) }");
    OnnxWriter.write(
        new Model(graph, 8, Map.of("", 17L), Map.of(), UnknownFields.NONE), relu, Placement.INLINE);

    Cli.run("eval", relu, "--perplexity", HELD_OUT)
        .fails(ExitCode.BAD_INPUT, "expected a model that predicts the next token");
  }
}
