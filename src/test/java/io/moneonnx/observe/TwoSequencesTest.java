package io.moneonnx.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Target;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An encoder and a decoder in one graph, with blocks that see sequences of different lengths. */
final class TwoSequencesTest {
  private static final Map<String, Tensor> FEEDS =
      Map.of(
          "input_ids", Tensor.of(List.of(1L, 5L), 1L, 2, 3, 4, 5),
          "attention_mask", Tensor.of(List.of(1L, 5L), 1L, 1, 1, 0, 0),
          "decoder_input_ids", Tensor.of(List.of(1L, 3L), 6L, 7, 0),
          "decoder_attention_mask", Tensor.of(List.of(1L, 3L), 0L, 1, 1));

  private static Graph half(TinyMoe tiny) {
    return GraphText.parse(
        tiny.text()
            .replace("(float[T, 4] x)", "(int64[B, S] input_ids, int64[B, S] attention_mask)")
            .replace(
                "int64[1] last", "float[8, 4] table, int64[2] tokenRows = {-1, 4}, int64[1] last")
            .replaceFirst(
                "\\{\n  logits",
                "{\n  found = Gather <axis = 0> (table, input_ids)\n"
                    + "  x = Reshape (found, tokenRows)\n  logits"));
  }

  private static Model both(Spelling spelling) {
    Graph encoder = half(spelling.of(4, 2, 4));
    Graph decoder = TinyMoe.renamed(half(spelling.of(6, 1, 4)), TwoSequencesTest::prefixed);
    List<Node> nodes = new ArrayList<>(encoder.nodes());
    nodes.addAll(decoder.nodes());
    Map<String, Initializer> constants = new LinkedHashMap<>(encoder.initializers());
    constants.putAll(decoder.initializers());
    List<Value> inputs = new ArrayList<>(encoder.inputs());
    inputs.addAll(decoder.inputs());
    List<Value> outputs = new ArrayList<>(encoder.outputs());
    outputs.addAll(decoder.outputs());
    Graph graph =
        new Graph("both", nodes, constants, inputs, outputs, Map.of(), UnknownFields.NONE);
    return spelling.of(4, 2, 4).model().withGraph(graph);
  }

  private static String prefixed(String name) {
    return name.isEmpty() ? name : "decoder_" + name;
  }

  @ParameterizedTest
  @EnumSource
  void areCountedEachByItsOwnMask(Spelling spelling) {
    Model model = both(spelling);
    MoeFinder.Findings findings =
        new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model).graph());
    List<MoeBlock> blocks = findings.blocks();
    assertThat(blocks)
        .as(findings.misses().toString())
        .extracting(MoeBlock::experts)
        .containsExactly(4, 6);

    Calibrator.Outcome outcome =
        new Calibrator(Canonical.of(model).model(), Path.of(""), blocks, RunOptions.cpu())
            .run(List.of(FEEDS));

    assertThat(outcome.disproved()).isEmpty();
    assertThat(outcome.statistics()).extracting(BlockStatistics::tokens).containsExactly(3L, 2L);
  }
}
