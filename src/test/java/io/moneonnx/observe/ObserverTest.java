package io.moneonnx.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.CudaKernels;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ObserverTest {
  @ParameterizedTest
  @EnumSource
  void whatIsReadOfABatchDoesNotGrowWithItsTokens(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 3);

    Map<Taps.Statistic, List<Long>> shapes = shapes(tiny, 200);

    assertThat(shapes).isEqualTo(shapes(tiny, 3));
    assertThat(shapes.values())
        .allSatisfy(dims -> assertThat(Tensor.elements(dims)).isLessThanOrEqualTo(4 * 5 * 3));
  }

  @ParameterizedTest
  @EnumSource
  void addsNothingThatCudaHasNoKernelFor(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 3);

    for (ElementType type : List.of(ElementType.FLOAT, ElementType.FLOAT16, ElementType.BFLOAT16)) {
      Model observed = Observer.observe(tiny.in(type), List.of(tiny.block())).model();
      assertThat(CudaKernels.missing(observed)).as(type.text()).isEmpty();
    }
  }

  /** Shapes of all that the calibrator asks of the runtime. */
  private static Map<Taps.Statistic, List<Long>> shapes(TinyMoe tiny, int tokens) {
    Observer.Observed observed = Observer.observe(tiny.model(), List.of(tiny.block()));
    Map<String, Tensor> feeds = new HashMap<>(Map.of("x", tiny.tokens(tokens, 1)));
    observed.valid().values().forEach(input -> feeds.put(input, Tensor.of(List.of(1L), 1f)));
    feeds.put(
        observed.check(),
        new Tensor.Inline(ElementType.BOOL, List.of(1L), ByteBuffer.wrap(new byte[1])));
    Taps taps = observed.taps().get(0);
    Map<String, Tensor> read = TinyMoe.run(observed.tapsOnly(), feeds, taps.names());
    assertThat(read).hasSameSizeAs(observed.tapsOnly().graph().outputs());
    return taps.outputs().entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, tap -> read.get(tap.getValue()).dims()));
  }
}
