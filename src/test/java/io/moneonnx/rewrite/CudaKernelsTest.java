package io.moneonnx.rewrite;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.CudaKernels;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Model;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.RouterCut;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A node that CUDA has no kernel for would bring all it reads to the CPU, and back what it makes.
 */
final class CudaKernelsTest {
  private static final List<ElementType> TYPES =
      List.of(ElementType.FLOAT, ElementType.FLOAT16, ElementType.BFLOAT16);

  @ParameterizedTest
  @EnumSource
  void novicesNeedNoOther(Spelling spelling) {
    TinyMoe tiny = spelling.of(5, 2, 3);
    Replacement some =
        Replacement.byNovices(new TreeMap<>(Map.of(1, new float[] {1, 2, 3}, 4, new float[3])));

    for (ElementType type : TYPES) {
      assertThat(CudaKernels.missing(changed(tiny, type, some))).as(type.text()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource
  void cutRoutersNeedNoOther(Spelling spelling) {
    TinyMoe tiny = spelling.of(5, 2, 3);
    RouterCut router = RouterCut.of(tiny.graph(), tiny.block().routing());
    if (router.objection(Set.of(2)).isEmpty()) {
      for (ElementType type : TYPES) {
        Model cut = changed(tiny, type, new Removal(new TreeSet<>(Set.of(2))));
        assertThat(CudaKernels.missing(cut)).as(type.text()).isEmpty();
      }
    }
  }

  private static Model changed(TinyMoe tiny, ElementType type, Change change) {
    MoeBlock block = tiny.block();
    return Rewriter.rewrite(
        Canonical.of(tiny.in(type)), List.of(block), Map.of(block.name(), change));
  }
}
