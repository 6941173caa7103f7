package io.moneonnx.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Refusal;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Blocks that look complete and are not what they are taken for: running them shows it. */
final class DisproofTest {
  private static final int TOKENS = 30;

  private static String reason(TinyMoe tiny, MoeBlock block) {
    Calibrator.Outcome outcome =
        new Calibrator(tiny.model(), Path.of(""), List.of(block), RunOptions.cpu())
            .run(List.of(feeds(tiny)), () -> {});
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
    return "rebuilt from its experts' rows, the output is off by %.3g of %.3g; wanted 1e-04 relative"
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
    MoeBlock scaled =
        new MoeBlock(
            block.name(),
            block.form(),
            block.routing(),
            block.coefficients(),
            "double",
            block.weights(),
            block.expertBytes(),
            block.layout());

    double routed = largest(tiny, "routed");
    assertThat(reason(tiny, scaled)).isEqualTo(offBy(routed, 2 * routed));
  }

  @ParameterizedTest
  @EnumSource
  void showsCoefficientsThatAreNotTheOnesUsed(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4);
    MoeBlock block = tiny.block();
    MoeBlock early =
        new MoeBlock(
            block.name(),
            block.form(),
            block.routing(),
            "best",
            block.output(),
            block.weights(),
            block.expertBytes(),
            block.layout());

    assertThat(reason(tiny, early)).startsWith("rebuilt from its experts' rows");
  }

  @Test
  void showsRegionsThatComputeEachOthersRows() {
    TinyMoe tiny = Spelling.DYNAMO.of(3, 2, 4).with("classes = {0, 1, 2}", "classes = {1, 0, 2}");

    assertThat(reason(tiny, tiny.block()))
        .isEqualTo("a region computes rows of another expert than the one it was found for");
  }

  @Test
  void showsChoicesWithoutARow() {
    TinyMoe tiny = Spelling.DYNAMO.of(3, 2, 4).with("classes = {0, 1, 2}", "classes = {0, 1, 9}");
    long[] ids =
        TinyMoe.run(tiny.model(), feeds(tiny), List.of("experts")).get("experts").toLongs();
    long chosen = java.util.Arrays.stream(ids).filter(id -> id == 2).count();

    assertThat(reason(tiny, tiny.block()))
        .isEqualTo("expert 2 was chosen by " + chosen + " tokens, but has 0 rows");
  }

  @ParameterizedTest
  @EnumSource(names = {"TORCHSCRIPT", "DYNAMO"})
  void showsAScaleThatWasTakenForTheCoefficients(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4).with("int64[1] k", "float[1] scale = {2}, int64[1] k");
    for (int e = 0; e < 3; e++) {
      tiny =
          tiny.with("scaled" + e + " = Mul", "weighed" + e + " = Mul")
              .with(
                  spelling == Spelling.TORCHSCRIPT ? "  at" + e : "  routed" + (e < 2 ? e + 1 : ""),
                  "  scaled%1$d = Mul (weighed%1$d, scale)\n".formatted(e)
                      + (spelling == Spelling.TORCHSCRIPT
                          ? "  at" + e
                          : "  routed" + (e < 2 ? e + 1 : "")));
    }

    assertThat(tiny.find().blocks()).isEmpty();
  }
}
