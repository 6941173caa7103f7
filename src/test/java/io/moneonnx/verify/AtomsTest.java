package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.NarrowMoe;
import io.moneonnx.NarrowMoe.Stack;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.Refusal;
import io.moneonnx.moe.Target;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Stacked experts of different widths that are cut into atoms right hold, and others do not. */
final class AtomsTest {
  @TempDir Path folder;

  private static Model narrowed(TinyMoe tiny, Replacement narrowing) {
    return Rewriter.rewrite(
        Canonical.of(tiny.model()), List.of(tiny.block()), Map.of("experts", narrowing));
  }

  private static Replacement narrowing(TinyMoe tiny) {
    return NarrowMoe.narrowing(tiny.block(), NarrowMoe.unlike());
  }

  static List<Stack> divisible() {
    return NarrowMoe.divisible();
  }

  @ParameterizedTest
  @MethodSource("divisible")
  void holdForEveryStack(Stack stack) {
    TinyMoe tiny = stack.tiny();
    Verdict verdict =
        NarrowMoe.verdict(tiny, narrowing(tiny), narrowed(tiny, narrowing(tiny)), folder);

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
  }

  @ParameterizedTest
  @MethodSource("divisible")
  void holdBesideNovices(Stack stack) {
    TinyMoe tiny = stack.tiny();
    float[] novice = {1, 2, 3, 4};
    Replacement both = new Replacement(new TreeMap<>(Map.of(2, novice)), narrowing(tiny).narrow());
    Verdict verdict = NarrowMoe.verdict(tiny, both, narrowed(tiny, both), folder);

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
  }

  /** There are more of them than the router has columns. */
  @ParameterizedTest
  @MethodSource("divisible")
  void areNoExpertsThatAreFoundAgain(Stack stack) {
    assertThat(found(stack).blocks()).isEmpty();
  }

  @Test
  void haveTablesThatAreNoWeights() {
    assertThat(found(Stack.GATHERED).refusals())
        .singleElement()
        .extracting(Refusal::reason)
        .asString()
        .contains("'mone.0/atoms' is int64; expected weights of experts");
  }

  private static MoeFinder.Findings found(Stack stack) {
    TinyMoe tiny = stack.tiny();
    return new MoeFinder(Forms.all(Target.CPU))
        .find(Canonical.of(narrowed(tiny, narrowing(tiny))).graph());
  }

  private void finds(TinyMoe tiny, Model wrong) {
    Verdict verdict = NarrowMoe.verdict(tiny, narrowing(tiny), wrong, folder);

    assertThat(verdict.holds()).as(verdict.text()).isFalse();
    assertThat(verdict.worstBlock()).isGreaterThan(1e-3);
  }

  @ParameterizedTest
  @MethodSource("divisible")
  void findsAnotherNeuron(Stack stack) {
    TinyMoe tiny = stack.tiny();
    TreeMap<Integer, NarrowExpert> narrow = new TreeMap<>(narrowing(tiny).narrow());
    NarrowExpert right = narrow.get(0);
    float[] down = new float[right.hidden() * right.width()];
    for (int i = 0; i < down.length; i++) {
      down[i] = right.down(i / right.width(), i % right.width());
    }
    narrow.put(0, new NarrowExpert(new int[] {0, 1, 3}, down));

    finds(tiny, narrowed(tiny, Replacement.byNarrow(narrow)));
  }

  /** What an expert lacks up to the one that has most is computed all the same. */
  @ParameterizedTest
  @EnumSource(names = {"GATHERED", "GATHERED_HALVES", "GATHERED_TURNED"})
  void findsSlotsThatAreNotMasked(Stack stack) {
    TinyMoe tiny = stack.tiny();
    Model narrowed = narrowed(tiny, narrowing(tiny));
    long[] all = new long[20];
    Arrays.fill(all, 1);
    assertThat(narrowed.graph().constant("mone.0/atoms").orElseThrow().toLongs())
        .containsExactly(1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);

    finds(tiny, TinyMoe.withInitializer(narrowed, "mone.0/atoms", Tensor.of(List.of(4L, 5L), all)));
  }

  @ParameterizedTest
  @EnumSource(names = {"STACKED_PAIRS", "FUSED_PAIRS", "FUSED_MIXED"})
  void findsBiasesThatCountSeveralTimes(Stack stack) {
    TinyMoe tiny = stack.tiny();
    Model narrowed = narrowed(tiny, narrowing(tiny));
    Tensor right = narrowed.graph().constant("mone.0/isFirst").orElseThrow();
    assertThat(right.toFloats()).containsExactly(1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0);
    float[] all = new float[14];
    Arrays.fill(all, 1);

    finds(tiny, TinyMoe.withInitializer(narrowed, "mone.0/isFirst", Tensor.of(right.dims(), all)));
  }

  /** An atom of one expert in the place of one of another. */
  @ParameterizedTest
  @MethodSource("divisible")
  void findsAtomsThatAreExchanged(Stack stack) {
    TinyMoe tiny = stack.tiny();
    Model narrowed = narrowed(tiny, narrowing(tiny));
    List<Integer> order = new ArrayList<>(IntStream.range(0, 14).boxed().toList());
    Collections.swap(order, 0, 3);
    Tensor kept = narrowed.graph().constant("mone.0/kept").orElseThrow();

    finds(tiny, TinyMoe.withInitializer(narrowed, "mone.0/kept", kept.rows(order)));
  }

  @Test
  void areAsWideAsTheLargestCommonDivisorOfTheWidths() {
    TinyMoe tiny = Stack.STACKED.tiny();
    Map<Integer, int[]> kept =
        Map.of(
            0,
            new int[] {0, 1, 2, 3},
            1,
            new int[] {2, 4},
            2,
            new int[] {0, 3},
            3,
            new int[] {1, 2, 3, 4});
    Model narrowed = narrowed(tiny, NarrowMoe.narrowing(tiny.block(), kept));

    assertThat(narrowed.graph().constant("mone.0/kept").orElseThrow().dims())
        .containsExactly(6L, 4L, 2L);
  }

  @Test
  void areNotMadeMoreThanSixteenOfAnExpert() {
    TinyMoe tiny = Spelling.FUSED.of(4, 2, 16);
    Map<Integer, int[]> kept = Map.of(0, IntStream.range(0, 16).toArray());

    assertThatThrownBy(() -> narrowed(tiny, NarrowMoe.narrowing(tiny.block(), kept)))
        .isInstanceOf(BadInputException.class)
        .hasMessageEndingWith("expected 2 or more for widths up to 17, found 1");
  }

  @ParameterizedTest
  @EnumSource(names = {"GATHERED_HALVES", "STACKED_PAIRS"})
  void areNotMadeWhereAllExpertsHaveOneBias(Stack stack) {
    TinyMoe tiny = stack.tiny();
    boolean isGathered = stack == Stack.GATHERED_HALVES;
    TinyMoe biased =
        isGathered
            ? tiny.with("  out = MatMul", "  bare = MatMul")
                .with("  raw =", "  out = Add (bare, shift)\n  raw =")
                .with("int64[1] k =", "float[4, 1] shift, int64[1] k =")
            : tiny.with("float[4, 1, 4] downBias", "float[4] downBias");

    assertThatThrownBy(() -> narrowed(biased, narrowing(biased)))
        .isInstanceOf(BadInputException.class)
        .hasMessageEndingWith(
            "found none of expert 2; the bias '%s' of what its experts put out is not of each expert"
                .formatted(isGathered ? "shift" : "downBias"));
  }
}
