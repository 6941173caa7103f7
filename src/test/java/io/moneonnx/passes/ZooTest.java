package io.moneonnx.passes;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.Graph;
import io.moneonnx.io.OnnxReader;
import java.nio.file.Path;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the patterns find in files that real exporters wrote. */
@EnabledIfSystemProperty(named = "zoo", matches = ".+")
class ZooTest {
  private static Graph graph(String file) {
    return Canonical.of(OnnxReader.read(Path.of(System.getProperty("zoo"), file + ".onnx")))
        .graph();
  }

  @ParameterizedTest
  @CsvSource({
    "deepseek_v3__dynamo_batched_mm, SigmoidTopK",
    "deepseek_v3__ts_batched_mm, SigmoidTopK",
    "gpt_oss__ts_batched_mm, TopKSoftmax",
    "old_mixtral436__dynamo, SoftmaxTopKRenormalised",
    "old_mixtral436__ts17, SoftmaxTopKRenormalised",
    "old_mixtral436__ts17_nofold, SoftmaxTopKRenormalised",
    "old_olmoe445__ts17_fp16, SoftmaxTopK",
    "old_switch1__dynamo, SwitchTop1",
    "phimoe__dynamo_batched_mm, Sparsemixer",
  })
  void namesTheRoutersOfBothBlocks(String file, String router) {
    assertThat(Router.findAll(graph(file)))
        .extracting(found -> found.getClass().getSimpleName())
        .containsExactly(router, router);
  }

  @ParameterizedTest
  @CsvSource({
    "old_deepseekv3_448ng__ts17, 16",
    "old_mixtral436__dynamo, 8",
    "old_mixtral436__ts17, 8",
    "old_mixtral436__ts17_nofold, 8",
    "old_olmoe445__ts17, 16",
    "old_optimum_qwen3moe__ts17, 8",
  })
  void findsAMarkerAndALinkForEachExpert(String file, int experts) {
    Graph graph = graph(file);
    for (Router router : Router.findAll(graph)) {
      assertThat(Marker.findAll(graph, "experts", router.experts()))
          .extracting(marker -> marker.expert().tensor().toLongs()[0])
          .doesNotHaveDuplicates()
          .hasSize(experts);
    }
    assertThat(Link.findAll(graph)).hasSize(2 * experts);
  }

  @ParameterizedTest
  @CsvSource({
    "deepseek_v3__dynamo_batched_mm, 2",
    "gpt_oss__dynamo_batched_mm, 4",
    "olmoe__dynamo_batched_mm, 2",
    "olmoe__ts_batched_mm, 2",
  })
  void findsTheBanksAndTheSumOfGatheredExperts(String file, int banks) {
    Graph graph = graph(file);
    for (Router router : Router.findAll(graph)) {
      assertThat(ExpertGather.findAll(graph, "experts", router.experts())).hasSize(banks);
    }
    assertThat(SlotSum.findAll(graph)).extracting(SlotSum::combined).hasSize(4);
  }
}
