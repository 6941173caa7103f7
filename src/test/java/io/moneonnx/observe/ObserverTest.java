package io.moneonnx.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.CudaKernels;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.profile.Statistic.Detail;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ObserverTest {
  @ParameterizedTest
  @EnumSource
  void whatIsReadOfABatchDoesNotGrowWithItsTokens(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 3);

    int size = size(tiny, 200);

    assertThat(size).isEqualTo(size(tiny, 3)).isLessThan(4 * 5 * 3 + 4 * 4 + 40 + 2 * 4 * 4);
  }

  @ParameterizedTest
  @EnumSource
  void addsNothingThatCudaHasNoKernelFor(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 3);

    for (ElementType type : List.of(ElementType.FLOAT, ElementType.FLOAT16, ElementType.BFLOAT16)) {
      Model observed =
          Observer.observe(
                  Canonical.of(tiny.in(type)).model(),
                  List.of(tiny.block()),
                  Moments.BY_PRODUCT,
                  Detail.FULL)
              .model();
      assertThat(CudaKernels.missing(observed)).as(type.text()).isEmpty();
    }
  }

  /** How many elements the calibrator asks of the runtime. */
  private static int size(TinyMoe tiny, int tokens) {
    Observer.Observed observed =
        Observer.observe(
            Canonical.of(tiny.model()).model(),
            List.of(tiny.block()),
            Moments.BY_EXPERT,
            Detail.FULL);
    Map<String, Tensor> feeds = new HashMap<>(Map.of("x", tiny.tokens(tokens, 1)));
    observed.valid().values().forEach(input -> feeds.put(input, Tensor.of(List.of(1L), 1f)));
    feeds.put(
        observed.taps().get(0).check(),
        new Tensor.Inline(ElementType.BOOL, List.of(1L), ByteBuffer.wrap(new byte[1])));
    String taps = observed.taps().get(0).output();
    Map<String, Tensor> read = TinyMoe.run(observed.tapsOnly(), feeds, List.of(taps));
    assertThat(observed.tapsOnly().graph().outputs()).hasSize(1);
    return read.get(taps).toFloats().length;
  }
}
