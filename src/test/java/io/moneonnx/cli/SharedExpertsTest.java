package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.data.Fixtures;
import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import io.moneonnx.io.Draft;
import io.moneonnx.io.ModelFiles;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.Target;
import io.moneonnx.pipeline.LoadedModel;
import io.moneonnx.rewrite.Provenance;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A folder of a decoder for prompts and one that is fed what earlier runs put out. */
class SharedExpertsTest {
  @TempDir private static Path shared;
  @TempDir private Path folder;

  private static Path profile;
  private Path models;
  private Path prefill;
  private Path decode;
  private Path out;

  @BeforeAll
  static void measures() {
    profile = shared.resolve("olmoe.profile");
    Cli.run("calibrate", TwoLayers.MODEL, "-o", profile, "--blocks", 1, "--seq-len", 32).succeeds();
  }

  @BeforeEach
  void laysOutTheFolder() throws IOException {
    models = Files.createDirectory(folder.resolve("models"));
    prefill = models.resolve("prefill.onnx");
    decode = models.resolve("decode.onnx");
    out = folder.resolve("pruned");
    Files.copy(TwoLayers.MODEL.resolveSibling("tokenizer.json"), models.resolve("tokenizer.json"));
    OnnxWriter.write(OnnxReader.read(TwoLayers.MODEL), prefill, Placement.EXTERNAL);
  }

  private Cli rewrite(Object... options) {
    return Cli.run(
        Stream.concat(
                Stream.of("rewrite", models, "--profile", profile, "-o", out, "--ratio", 0.5),
                Arrays.stream(options))
            .toArray());
  }

  /** With other names for all values, and {@code past} added to what it puts out. */
  private static Model decoding(Model model, Value... more) {
    Graph graph = model.graph();
    List<Value> inputs = new ArrayList<>(graph.inputs());
    inputs.add(input("past", ElementType.FLOAT));
    inputs.addAll(List.of(more));
    Graph other =
        TinyMoe.renamed(
            graph,
            name ->
                name.isEmpty() || graph.inputs().stream().anyMatch(in -> in.name().equals(name))
                    ? name
                    : "decode" + name);
    List<Node> nodes = new ArrayList<>(other.nodes());
    nodes.add(Node.of("Add", List.of("decodelogits", "past"), List.of("logits"), Map.of()));
    return model.withGraph(
        new Graph(
            "decode",
            nodes,
            other.initializers(),
            inputs,
            graph.outputs(),
            Map.of(),
            UnknownFields.NONE));
  }

  private static Value input(String name, ElementType type) {
    return new Value(
        name, Optional.of(type), Optional.of(List.of(Dimension.of(1))), UnknownFields.NONE);
  }

  /** Writes a model whose weights lie in the other one's data file. */
  private void writeBesidePrefill(Model model) {
    ModelFiles files = ModelFiles.of(prefill, OnnxReader.read(prefill));
    try (Draft draft = OnnxWriter.draft(model, files, decode, Placement.LINKED)) {
      draft.publish(false);
    }
  }

  /** With another last byte of a weight of the second block. */
  private static Model touched(Path file) {
    Model model = OnnxReader.read(file);
    String name =
        new TreeSet<>(LoadedModel.open(file, Target.CPU).blocks().get(1).weights()).first();
    Tensor tensor = model.graph().constant(name).orElseThrow();
    ByteBuffer bytes = ByteBuffer.allocate((int) tensor.byteSize()).put(tensor.bytes());
    int last = bytes.position() - 1;
    bytes.put(last, (byte) (bytes.get(last) ^ 1));
    return TinyMoe.withInitializer(
        model, name, new Tensor.Inline(tensor.type(), tensor.dims(), bytes.flip()));
  }

  private static void assertLoads(Path model) {
    try (Session session = Session.open(model, RunOptions.cpu())) {
      assertThat(session.outputs()).containsExactly("logits");
    }
  }

  private static String fact(Path model, String key) {
    return OnnxReader.read(model).metadata().get(key);
  }

  @Test
  void areRewrittenByOnePlanAndShareTheirDataAgain() throws IOException {
    writeBesidePrefill(decoding(OnnxReader.read(prefill)));

    Cli rewritten = rewrite().succeeds();

    assertThat(rewritten.err())
        .contains(decode + ": has the experts of prefill.onnx, and is rewritten by the same plan");
    assertThat(rewritten.out()).contains("proof    largest", "twin     decode.onnx: largest");
    assertThat(Cli.names(out))
        .containsExactly("decode.onnx", "prefill.onnx", "prefill.onnx.data", "tokenizer.json");
    long before = ModelFiles.of(prefill, OnnxReader.read(prefill)).bytes() + Files.size(decode);
    assertThat(rewritten.out()).contains("size     %,d -> ".formatted(before));
    rewrite("--force", "--link", "--no-verify").succeeds();
    for (Path model : List.of(out.resolve("prefill.onnx"), out.resolve("decode.onnx"))) {
      assertLoads(model);
      assertThat(LoadedModel.open(model, Target.CPU).model().graph().initializers())
          .containsKey("mone.0/novices");
      assertThat(fact(model, "mone-onnx.ratio")).isEqualTo("0.5");
    }
  }

  @Test
  void theSharedDataAreWrittenOnce() throws IOException {
    rewrite("--no-verify").succeeds();
    long alone = Files.size(out.resolve("prefill.onnx.data"));
    writeBesidePrefill(decoding(OnnxReader.read(prefill)));

    rewrite("--no-verify", "--force").succeeds();

    assertThat(Files.size(out.resolve("prefill.onnx.data"))).isLessThan(alone + alone / 20);
  }

  @Test
  void eachKeepsDataOfItsOwn() throws IOException {
    OnnxWriter.write(decoding(OnnxReader.read(prefill)), decode, Placement.EXTERNAL);

    Cli rewritten = rewrite("--router", "cut", "--device", "cpu").succeeds();

    assertThat(rewritten.out()).contains("twin     decode.onnx: largest");
    assertThat(Cli.names(out))
        .containsExactly(
            "decode.onnx",
            "decode.onnx.data",
            "prefill.onnx",
            "prefill.onnx.data",
            "tokenizer.json");
    assertThat(Files.size(out.resolve("decode.onnx.data")))
        .isLessThan(Files.size(models.resolve("decode.onnx.data")));
  }

  @Test
  void aModelWithOneOtherByteIsLeftAloneWithTheDataItReads() throws IOException {
    writeBesidePrefill(decoding(touched(prefill)));

    Cli rewritten = rewrite().succeeds();

    assertThat(rewritten.err())
        .contains(
            decode + ": is copied as it is: its block '",
            " of prefill.onnx: 'decode",
            "' has other elements than '",
            "prefill.onnx.data: is copied too, since decode.onnx reads it");
    assertThat(rewritten.out()).doesNotContain("twin");
    for (String same : List.of("decode.onnx", "decode.onnx.data", "prefill.onnx.data")) {
      assertThat(out.resolve(same)).hasSameBinaryContentAs(models.resolve(same));
    }
    assertThat(Cli.names(out)).contains("prefill.onnx", "prefill.onnx-2.data");
    assertLoads(out.resolve("prefill.onnx"));
    assertLoads(out.resolve("decode.onnx"));
  }

  /** Experts of its own behind an input of hidden states, as a draft head has beside its trunk. */
  private static Model draftHead(Model model) {
    Graph graph = model.graph();
    String embedded = "/embed_tokens/Gather_output_0";
    List<Node> nodes = new ArrayList<>();
    for (Node node : graph.nodes()) {
      boolean isLookup = node.outputs().equals(List.of(embedded));
      nodes.add(
          isLookup
              ? Node.of("Gather", node.inputs(), List.of("looked_up"), node.attributes())
              : node);
      if (isLookup) {
        nodes.add(
            Node.of("Add", List.of("looked_up", "hidden_states"), List.of(embedded), Map.of()));
      }
    }
    List<Value> inputs = new ArrayList<>(graph.inputs());
    inputs.add(
        Value.of(
            "hidden_states",
            ElementType.FLOAT,
            Dimension.of("batch"),
            Dimension.of("seq"),
            Dimension.of(128)));
    return model.withGraph(
        new Graph(
            "draft",
            nodes,
            graph.initializers(),
            inputs,
            graph.outputs(),
            Map.of(),
            UnknownFields.NONE));
  }

  /** Three sequences of 16 tokens, and the hidden states of a trunk. */
  private Path headData() throws IOException {
    Random random = new Random(5);
    ByteBuffer ids = ByteBuffer.allocate(3 * 16 * 8).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer hidden = ByteBuffer.allocate(3 * 16 * 128 * 4).order(ByteOrder.LITTLE_ENDIAN);
    while (ids.hasRemaining()) {
      ids.putLong(random.nextInt(1024));
    }
    while (hidden.hasRemaining()) {
      hidden.putFloat((float) random.nextGaussian() / 50);
    }
    return Fixtures.npz(
        folder.resolve("head.npz"),
        Map.of(
            "input_ids",
            Fixtures.npy("<i8", "(3, 16)", ids.array()),
            "hidden_states",
            Fixtures.npy("<f4", "(3, 16, 128)", hidden.array())));
  }

  @Test
  void aDraftHeadIsRewrittenByAPlanOfItsOwnWhereItIsAskedFor() throws IOException {
    Path head = models.resolve("head.onnx");
    OnnxWriter.write(draftHead(touched(prefill)), head, Placement.EXTERNAL);

    Cli alone = rewrite("--no-verify").succeeds();
    Cli both = rewrite("--also", "head.onnx=" + headData(), "--force").succeeds();

    assertThat(alone.err()).contains(head + ": is copied as it is: ", "--also MODEL=SRC");
    assertThat(both.err())
        .contains(head + ": has experts of its own, and is rewritten by a plan of its own")
        .doesNotContain("copied");
    assertThat(both.out())
        .containsPattern("also     head.onnx: layers.0: 8 replaced, layers.1: 8 replaced; largest");
    Path written = out.resolve("head.onnx");
    assertLoads(written);
    assertThat(fact(written, "mone-onnx.ratio")).isEqualTo("0.5");
    assertThat(Files.size(out.resolve("head.onnx.data")))
        .isLessThan(Files.size(models.resolve("head.onnx.data")) * 7 / 10);
    assertThat(fact(written, "expert_substitution"))
        .isNotEqualTo(fact(out.resolve("prefill.onnx"), "expert_substitution"));
  }

  @Test
  void aDraftHeadThatReadsTheTrunksDataSharesThemAgain() throws IOException {
    writeBesidePrefill(draftHead(touched(prefill)));

    rewrite("--also", "decode.onnx=" + headData(), "--device", "cpu").succeeds();

    assertThat(Cli.names(out))
        .containsExactly("decode.onnx", "prefill.onnx", "prefill.onnx.data", "tokenizer.json");
    assertLoads(out.resolve("decode.onnx"));
  }

  @Test
  void whatCannotBeRewrittenAlsoIsNamed() throws IOException {
    OnnxWriter.write(draftHead(touched(prefill)), models.resolve("head.onnx"), Placement.EXTERNAL);
    OnnxWriter.write(decoding(OnnxReader.read(prefill)), decode, Placement.EXTERNAL);
    String data = "head.onnx=" + headData();
    Path plan = folder.resolve("plan.json");
    Cli.run("plan", profile, "--ratio", "0.5", "-o", plan).succeeds();

    rewrite("--also", "head.onnx")
        .fails(
            ExitCode.BAD_INPUT,
            "--also head.onnx: found no data for it, expected head.onnx=SRC, such as .npz arrays",
            "'input_ids' int64[batch, seq], 'hidden_states' float[batch, seq, 128]");
    rewrite("--also", "none.onnx=a.npz")
        .fails(
            ExitCode.BAD_INPUT, "found no other model 'none.onnx'", "expected one of [head.onnx]");
    rewrite("--also", "decode.onnx=a.npz")
        .fails(ExitCode.BAD_INPUT, "decode.onnx: it has the experts of prefill.onnx");
    Cli.run("rewrite", prefill, "--ratio", 0.5, "-o", out, "--also", data)
        .fails(ExitCode.BAD_INPUT, "the model is given as a file, expected the folder");
    Cli.run("rewrite", models, "--profile", profile, "--plan", plan, "-o", out, "--also", data)
        .fails(ExitCode.BAD_INPUT, "--also: --plan is for one model, expected a budget");
    assertThat(out).doesNotExist();
  }

  @Test
  void nothingIsWrittenWhereOneCannotBeProved() throws IOException {
    writeBesidePrefill(decoding(OnnxReader.read(prefill), input("step", ElementType.INT64)));

    rewrite().fails(ExitCode.BAD_INPUT, decode + ": no valid input can be made up", "--no-verify");

    assertThat(out).doesNotExist();
    rewrite("--no-verify").succeeds();
  }

  /** Both in branches of an {@code If}, as in a merged decoder. */
  private static Model merged(Model model, Model decoding) {
    Graph prompt = model.graph();
    Graph step = decoding.graph();
    List<Value> inputs = new ArrayList<>(step.inputs());
    inputs.add(input("use_cache_branch", ElementType.BOOL));
    Node choice =
        Node.of(
            "If",
            List.of("use_cache_branch"),
            List.of("logits"),
            Map.of(
                "then_branch", new Attribute.OfGraph(body(step)),
                "else_branch", new Attribute.OfGraph(body(prompt))));
    Map<String, Initializer> constants = new LinkedHashMap<>(prompt.initializers());
    constants.putAll(step.initializers());
    return model.withGraph(
        new Graph(
            "merged",
            List.of(choice),
            constants,
            inputs,
            prompt.outputs(),
            Map.of(),
            UnknownFields.NONE));
  }

  private static Graph body(Graph graph) {
    return new Graph(
        graph.name(),
        graph.nodes(),
        Map.of(),
        List.of(),
        graph.outputs(),
        Map.of(),
        UnknownFields.NONE);
  }

  @Test
  void bothBranchesOfAnIfAreRewrittenByOnePlan() throws IOException {
    Model model = OnnxReader.read(prefill);
    Path file = folder.resolve("merged.onnx");
    Path pruned = folder.resolve("small.onnx");
    OnnxWriter.write(merged(model, decoding(model)), file, Placement.EXTERNAL);
    Files.copy(TwoLayers.MODEL.resolveSibling("tokenizer.json"), folder.resolve("tokenizer.json"));
    Path text = TwoLayers.MODEL.resolveSibling("calibration.txt");

    Cli rewritten =
        Cli.run(
                "rewrite",
                file,
                "--data",
                text,
                "--blocks",
                1,
                "--seq-len",
                32,
                "--ratio",
                0.5,
                "--device",
                "cpu",
                "-o",
                pruned)
            .succeeds();

    assertThat(rewritten.out())
        .contains("proof    largest", "twin     then_branch of merged.onnx: largest");
    assertThat(OnnxReader.read(pruned).graph().nodes()).hasSize(1);
    assertThat(OnnxReader.read(pruned).graph().initializers()).containsKey("mone.0/novices");
    assertThat(Files.size(folder.resolve("small.onnx.data")))
        .isLessThan(Files.size(models.resolve("prefill.onnx.data")));
    assertLoads(pruned);
    assertThat(Cli.run("inspect", file).succeeds().out())
        .contains(
            "twin     then_branch of merged.onnx: 2 blocks with the experts and routers of"
                + " else_branch of merged.onnx");
  }

  private Cli rewriteMerged(Path file, Path pruned, Object... options) {
    return Cli.run(
        Stream.concat(
                Stream.of(
                    "rewrite",
                    file,
                    "--data",
                    TwoLayers.MODEL.resolveSibling("calibration.txt"),
                    "--blocks",
                    1,
                    "--seq-len",
                    32,
                    "--ratio",
                    0.25,
                    "-o",
                    pruned),
                Arrays.stream(options))
            .toArray());
  }

  @Test
  void aMergedDecoderIsPrunedFurther() throws IOException {
    Model model = OnnxReader.read(prefill);
    Path file = folder.resolve("merged.onnx");
    Path once = folder.resolve("once.onnx");
    Path twice = folder.resolve("twice.onnx");
    Model step = decoding(model);
    List<Node> named =
        step.graph().nodes().stream()
            .map(node -> node.withName(node.name().replace("layers", "steps")))
            .toList();
    OnnxWriter.write(
        merged(model, step.withGraph(step.graph().withNodes(named))), file, Placement.EXTERNAL);
    Files.copy(TwoLayers.MODEL.resolveSibling("tokenizer.json"), folder.resolve("tokenizer.json"));
    rewriteMerged(file, once, "--no-verify").succeeds();

    Cli again = rewriteMerged(once, twice).succeeds();

    assertThat(again.out()).contains("twin     then_branch of once.onnx: largest");
    Map<String, Provenance.Gone> before = Provenance.gone(OnnxReader.read(once)).orElseThrow();
    Map<String, Provenance.Gone> gone = Provenance.gone(OnnxReader.read(twice)).orElseThrow();
    assertThat(gone).hasSize(4).containsOnlyKeys(before.keySet());
    gone.forEach(
        (block, experts) ->
            assertThat(experts.all()).hasSizeGreaterThan(before.get(block).all().size()));
  }

  @Test
  void anInputOfTheOtherBranchWithoutAShapeIsRefusedByName() throws IOException {
    Model model = OnnxReader.read(prefill);
    Graph graph = merged(model, decoding(model)).graph();
    List<Value> inputs =
        graph.inputs().stream()
            .map(
                in ->
                    in.name().equals("past")
                        ? new Value(in.name(), in.type(), Optional.empty(), in.rest())
                        : in)
            .toList();
    Path file = folder.resolve("merged.onnx");
    OnnxWriter.write(
        model.withGraph(
            new Graph(
                "merged",
                graph.nodes(),
                graph.initializers(),
                inputs,
                graph.outputs(),
                Map.of(),
                UnknownFields.NONE)),
        file,
        Placement.INLINE);
    Files.copy(TwoLayers.MODEL.resolveSibling("tokenizer.json"), folder.resolve("tokenizer.json"));

    rewriteMerged(file, folder.resolve("small.onnx"))
        .fails(ExitCode.BAD_INPUT, "input 'past', which the other branch reads: expected a type");
  }

  @Test
  void branchesWithOneOtherByteAreRefused() {
    Path file = folder.resolve("merged.onnx");
    OnnxWriter.write(
        merged(OnnxReader.read(prefill), decoding(touched(prefill))), file, Placement.INLINE);

    Cli refused = Cli.run("rewrite", file, "-o", out, "--ratio", 0.5);

    refused.fails(ExitCode.NOTHING_TO_DO, "merged.onnx: every block was refused");
    assertThat(refused.err()).contains("expected routers in the main graph, not in a body of If");
  }

  @Test
  void inspectNamesThem() {
    writeBesidePrefill(decoding(OnnxReader.read(prefill)));

    assertThat(Cli.run("inspect", models).succeeds().out())
        .contains(
            "twin     %s: 2 blocks with the experts and routers of prefill.onnx".formatted(decode));
    assertThat(Cli.run("inspect", models, "--json").succeeds().out())
        .contains("\"twins\"", "decode.onnx");
  }

  @Test
  void aModelThatCannotBeReadIsLeftAlone() throws IOException {
    Files.writeString(decode, "no model");
    Files.writeString(
        models.resolve("genai_config.json"),
        "{\"model\": {\"decoder\": {\"filename\": \"prefill.onnx\"}}}");

    Cli rewritten = rewrite("--no-verify").succeeds();

    assertThat(rewritten.err()).contains(decode + ": is copied as it is: ");
    assertThat(out.resolve("decode.onnx")).hasContent("no model");
  }
}
