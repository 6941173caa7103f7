package io.moneonnx.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Claim;
import io.moneonnx.moe.Layout;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Refusal;
import io.moneonnx.moe.RoutingWeights;
import io.moneonnx.moe.Rows;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Blocks that look complete and are not what they are taken for: running them shows it. */
final class DisproofTest {
  private static final int TOKENS = 30;

  private static String reason(TinyMoe tiny, MoeBlock block) {
    Calibrator.Outcome outcome =
        new Calibrator(
                Canonical.of(tiny.model()).model(), Path.of(""), List.of(block), RunOptions.cpu())
            .run(List.of(feeds(tiny)));
    assertThat(outcome.statistics()).isEmpty();
    assertThat(outcome.disproved()).extracting(Refusal::where).containsExactly("experts");
    return outcome.disproved().get(0).reason();
  }

  private static Map<String, Tensor> feeds(TinyMoe tiny) {
    return Map.of("x", tiny.tokens(TOKENS, 1));
  }

  private static double largest(TinyMoe tiny, String value) {
    float[] found = TinyMoe.run(tiny.model(), feeds(tiny), List.of(value)).get(value).toFloats();
    double largest = 0;
    for (float element : found) {
      largest = Math.max(largest, Math.abs(element));
    }
    return largest;
  }

  private static String offBy(double off, double of) {
    return "rebuilt from its experts' rows, the output is off by %.3g of %.3g; expected 1e-04 relative"
        .formatted(off, of);
  }

  @ParameterizedTest
  @EnumSource(names = {"TORCHSCRIPT", "DYNAMO"})
  void showsAChainThatDoesNotBeginAtZero(Spelling spelling) {
    TinyMoe tiny =
        spelling.of(3, 2, 4).with("routed0 = Identity (zeros)", "routed0 = Identity (x)");

    assertThat(reason(tiny, tiny.block()))
        .isEqualTo(offBy(largest(tiny, "x"), largest(tiny, "routed")));
  }

  @ParameterizedTest
  @EnumSource
  void showsAnOutputThatIsScaled(Spelling spelling) {
    TinyMoe tiny =
        spelling
            .of(3, 2, 4)
            .with("y = Add (x, routed)", "double = Add (routed, routed)\n  y = Add (x, double)");
    MoeBlock block = tiny.block();
    MoeBlock scaled = with(block, block.routingWeights(), "double", block.claim().layout());

    double routed = largest(tiny, "routed");
    assertThat(reason(tiny, scaled)).isEqualTo(offBy(routed, 2 * routed));
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FUSED")
  void showsRoutingWeightsThatAreNotTheOnesUsed(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4);
    MoeBlock block = tiny.block();
    MoeBlock early =
        with(block, new RoutingWeights.PerChoice("best"), block.output(), block.claim().layout());

    assertThat(reason(tiny, early)).startsWith("rebuilt from its experts' rows");
  }

  @ParameterizedTest
  @EnumSource(names = {"TORCHSCRIPT", "DYNAMO"})
  void showsRegionsThatComputeEachOthersRows(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4);
    Layout swapped =
        rowsOf(
            tiny.block(),
            (ops, rows) ->
                new Rows.PerExpert(
                    List.of(rows.outputs().get(1), rows.outputs().get(0), rows.outputs().get(2)),
                    ops.concat(
                        0,
                        List.of(slots(ops, tiny, 1), slots(ops, tiny, 0), slots(ops, tiny, 2)))));

    assertThat(reason(tiny, with(tiny.block(), swapped)))
        .isEqualTo("a region computes rows of another expert than the one it was found for");
  }

  @ParameterizedTest
  @EnumSource(names = {"TORCHSCRIPT", "DYNAMO"})
  void showsChoicesWithoutARow(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4);
    Layout short1 =
        rowsOf(
            tiny.block(),
            (ops, rows) ->
                new Rows.PerExpert(
                    rows.outputs().subList(0, 2),
                    ops.concat(0, List.of(slots(ops, tiny, 0), slots(ops, tiny, 1)))));
    long[] ids =
        TinyMoe.run(tiny.model(), feeds(tiny), List.of("experts")).get("experts").toLongs();
    long chosen = Arrays.stream(ids).filter(id -> id == 2).count();

    assertThat(reason(tiny, with(tiny.block(), short1)))
        .isEqualTo("expert 2 was chosen by " + chosen + " tokens, but has 0 rows");
  }

  /** The slots of one expert's rows, as the tiny model computes them. */
  private static String slots(Ops ops, TinyMoe tiny, int expert) {
    String first = ops.mul("token" + expert, ops.vector(tiny.topK()));
    return ops.add(first, "slot" + expert);
  }

  private static MoeBlock with(MoeBlock block, Layout layout) {
    return with(block, block.routingWeights(), block.output(), layout);
  }

  private static MoeBlock with(
      MoeBlock block, RoutingWeights routingWeights, String output, Layout layout) {
    Claim claim =
        new Claim(
            block.routing(),
            routingWeights,
            output,
            block.weights(),
            block.owners(),
            block.expertBytes(),
            List.of(),
            layout);
    return new MoeBlock(block.name(), block.form(), block.precision(), claim);
  }

  /** A layout that claims other rows than the block has. */
  private static Layout rowsOf(MoeBlock block, BiFunction<Ops, Rows.PerExpert, Rows> claimed) {
    return new Layout() {
      @Override
      public Rows rows(Ops ops) {
        return claimed.apply(ops, (Rows.PerExpert) block.claim().layout().rows(ops));
      }

      @Override
      public void remove(Ops ops, Set<Integer> experts) {
        throw new IllegalStateException("nothing is removed here");
      }
    };
  }
}
