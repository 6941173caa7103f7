package io.moneonnx.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a fused operator computes is seen as it is meant, whatever the runtime makes of it. */
final class FusedOperatorObservedTest {
  /**
   * ONNX Runtime's CPU makes zeros of an operator that does not renormalise and reads its input
   * last.
   */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void isProvedWhereNothingElseReadsItsInput(int normalised) {
    TinyMoe tiny =
        Spelling.FUSED
            .of(8, 2, 4)
            .with("float[T, 4] x)", "float[T, 4] given)")
            .with("  logits =", "  near = Neg (given)\n  x = Tanh (near)\n  logits =")
            .with("y = Add (x, routed)", "y = Neg (routed)")
            .with("routing_weights = 1", "routing_weights = " + normalised);

    assertThat(
            new Calibrator(
                    Canonical.of(tiny.model()).model(),
                    Path.of(""),
                    List.of(tiny.block()),
                    RunOptions.cpu())
                .run(List.of(Map.of("given", tiny.tokens(40, 1))))
                .disproved())
        .isEmpty();
  }
}
