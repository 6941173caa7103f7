package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.NarrowMoe;
import io.moneonnx.NarrowMoe.Stack;
import io.moneonnx.TinyMoe;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Stacked experts that are narrowed right hold, and those that are not do not. */
final class StackedNeuronMaskTest {
  @TempDir Path folder;

  private static Model narrowed(TinyMoe tiny, Replacement narrowing) {
    return Rewriter.rewrite(
        Canonical.of(tiny.model()), List.of(tiny.block()), Map.of("experts", narrowing));
  }

  private static Replacement narrowing(TinyMoe tiny) {
    return NarrowMoe.narrowing(tiny.block(), NarrowMoe.alike());
  }

  @ParameterizedTest
  @EnumSource
  void holdsForEveryStack(Stack stack) {
    TinyMoe tiny = stack.tiny();
    Replacement narrowing = narrowing(tiny);
    Verdict verdict = NarrowMoe.verdict(tiny, narrowing, narrowed(tiny, narrowing), folder);

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    assertThat(verdict.blockErrors()).containsOnlyKeys("experts");
    assertThat(verdict.positions()).isEqualTo(31);
  }

  private void finds(TinyMoe tiny, Model wrong) {
    Verdict verdict = NarrowMoe.verdict(tiny, narrowing(tiny), wrong, folder);

    assertThat(verdict.holds()).as(verdict.text()).isFalse();
    assertThat(verdict.worstBlock()).isGreaterThan(1e-3);
    assertThat(verdict.endToEnd()).isGreaterThan(1e-3);
  }

  private static Model with(TinyMoe tiny, int expert, NarrowExpert wrong) {
    TreeMap<Integer, NarrowExpert> narrow = new TreeMap<>(narrowing(tiny).narrow());
    narrow.put(expert, wrong);
    return narrowed(tiny, Replacement.byNarrow(narrow));
  }

  private static float[] down(NarrowExpert narrow, int... columns) {
    float[] down = new float[narrow.hidden() * columns.length];
    for (int i = 0; i < down.length; i++) {
      down[i] = narrow.down(i / columns.length, columns[i % columns.length]);
    }
    return down;
  }

  @ParameterizedTest
  @EnumSource
  void findsAnotherNeuron(Stack stack) {
    TinyMoe tiny = stack.tiny();
    NarrowExpert right = narrowing(tiny).narrow().get(1);

    finds(tiny, with(tiny, 1, new NarrowExpert(new int[] {1, 2, 3}, down(right, 0, 1, 2))));
  }

  @ParameterizedTest
  @EnumSource
  void findsColumnsThatArePermuted(Stack stack) {
    TinyMoe tiny = stack.tiny();
    NarrowExpert right = narrowing(tiny).narrow().get(2);

    finds(tiny, with(tiny, 2, new NarrowExpert(new int[] {0, 1, 3}, down(right, 1, 2, 0))));
  }

  @ParameterizedTest
  @EnumSource
  void findsExpertsThatAreExchanged(Stack stack) {
    TinyMoe tiny = stack.tiny();
    TreeMap<Integer, NarrowExpert> narrow = new TreeMap<>(narrowing(tiny).narrow());
    NarrowExpert first = narrow.get(0);
    narrow.put(0, new NarrowExpert(new int[] {1, 2, 4}, down(first, 0, 1, 2)));

    finds(tiny, narrowed(tiny, Replacement.byNarrow(narrow)));
  }

  /** The down projections keep their columns, but not what was re-fitted. */
  @ParameterizedTest
  @EnumSource
  void findsThatTheDownProjectionsWereNotReFitted(Stack stack) {
    TinyMoe tiny = stack.tiny();
    TreeMap<Integer, NarrowExpert> narrow = new TreeMap<>();
    narrowing(tiny)
        .narrow()
        .forEach(
            (expert, right) -> {
              Tensor all = tiny.graph().constant("down").orElseThrow();
              boolean isInByOut = all.dims().get(1) == 5;
              Tensor own = all.rows(List.of(expert)).along(isInByOut ? 1 : 2, right.neurons());
              float[] stored = own.toFloats();
              float[] old = new float[stored.length];
              for (int i = 0; i < old.length; i++) {
                old[i] = isInByOut ? stored[i % 3 * 4 + i / 3] : stored[i];
              }
              narrow.put(
                  expert,
                  new NarrowExpert(
                      right.neurons().stream().mapToInt(Integer::intValue).toArray(), old));
            });

    finds(tiny, narrowed(tiny, Replacement.byNarrow(narrow)));
  }

  /** What is cut as one, cut as two: neuron 2 of one expert has the gate of neuron 0. */
  @ParameterizedTest
  @EnumSource(names = {"GATHERED_HALVES", "STACKED_PAIRS", "FUSED_PAIRS", "FUSED_MIXED"})
  void findsGatesAndUpsThatAreCutApart(Stack stack) {
    TinyMoe tiny = stack.tiny();
    Model narrowed = narrowed(tiny, narrowing(tiny));
    Map<String, Tensor> wrong = new HashMap<>();
    Graph graph = narrowed.graph();
    for (Initializer constant : graph.initializers().values()) {
      Tensor tensor = constant.tensor();
      int axis = tensor.dims().indexOf(6L);
      if (axis > 0) {
        boolean isHalves = stack == Stack.GATHERED_HALVES;
        List<Integer> right = List.of(0, 1, 2, 3, 4, 5);
        List<Integer> apart = isHalves ? List.of(1, 0, 2, 3, 4, 5) : List.of(2, 1, 0, 3, 4, 5);
        wrong.put(
            constant.name(),
            tensor.alongEach(0, List.of(0, 1, 2, 3), axis, List.of(right, apart, right, right)));
      }
    }
    assertThat(wrong).hasSize(2);
    Model apart = narrowed;
    for (Map.Entry<String, Tensor> each : wrong.entrySet()) {
      apart = TinyMoe.withInitializer(apart, each.getKey(), each.getValue());
    }

    finds(tiny, apart);
  }

  /** Two of all channels of one expert lie the other way round. */
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"GROUPED", "GROUPED_BIASED"})
  void findsChannelsOfOneExpertThatArePermuted(Stack stack) {
    TinyMoe tiny = stack.tiny();
    Model narrowed = narrowed(tiny, narrowing(tiny));
    Tensor kept = narrowed.graph().constant("mone.0/kept").orElseThrow();
    int axis = kept.dims().indexOf(kept.dims().contains(6L) ? 6L : 3L);
    List<Integer> right = List.of(0, 1, 2, 3, 4, 5).subList(0, kept.dims().get(axis).intValue());
    List<Integer> turned = new ArrayList<>(right);
    Collections.swap(turned, 0, 2);
    Tensor wrong =
        kept.alongEach(0, List.of(0, 1, 2, 3), axis, List.of(right, right, turned, right));

    finds(tiny, TinyMoe.withInitializer(narrowed, "mone.0/kept", wrong));
  }
}
