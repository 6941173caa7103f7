package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.NarrowMoe;
import io.moneonnx.NarrowMoe.Body;
import io.moneonnx.NarrowMoe.Stack;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.NeuronCut;
import io.moneonnx.moe.Novices;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A block of which some experts are narrowed and the others removed, by one edit. */
final class NarrowedAndRemovedTest {
  /** Experts that put out nothing any more. */
  private record Nothing(MoeBlock block, Set<Integer> pruned) implements Novices {
    @Override
    public Collection<Integer> experts() {
      return pruned;
    }

    @Override
    public String isReplaced(Ops ops) {
      float[] replaced = new float[block.experts()];
      pruned.forEach(expert -> replaced[expert] = 1);
      List<Long> dims = List.of((long) block.experts(), 1L);
      return ops.greater(ops.constant("replaced", Tensor.of(dims, replaced)), ops.scalar(0f));
    }

    @Override
    public String table(Ops ops, ElementType type) {
      return ops.zeros(ops.vector(block.experts(), block.hidden()), type);
    }

    @Override
    public String inPlaceOf(Ops ops, int expert, String raw) {
      return ops.sub(raw, raw);
    }
  }

  private static Tensor output(TinyMoe tiny, Model model) {
    return TinyMoe.run(model, Map.of("x", tiny.tokens(30, 1)), List.of("y")).get("y");
  }

  /** What is written against the whole block with masks and rows of zeros. */
  private static Model rewritten(TinyMoe tiny, Map<Integer, int[]> kept, Set<Integer> removed) {
    Canonical model = Canonical.of(tiny.model());
    MoeBlock block = tiny.block();
    Map<Integer, NarrowExpert> narrow = NarrowMoe.narrowing(block, kept).narrow();
    GraphEdit edit = new GraphEdit(model.model());
    Ops ops = new Ops(edit, "mone.0");
    NeuronCut cut = NeuronCut.of(edit.graph(), block);
    assertThat(cut.objection(narrow, removed)).isEmpty();
    cut.apply(ops, narrow, removed);
    Model rewritten = model.spelled(edit);

    GraphEdit whole = new GraphEdit(model.model());
    Ops oracle = new Ops(whole, "mone.oracle");
    new NeuronMask(oracle, block).apply(narrow);
    block.overwrite(oracle, new Nothing(block, removed));
    float[] expected = output(tiny, whole.apply()).toFloats();
    float[] found = output(tiny, rewritten).toFloats();
    float[] before = output(tiny, tiny.model()).toFloats();
    double off = 0;
    for (int i = 0; i < expected.length; i++) {
      assertThat(found[i]).as("%s %d", tiny.spelling(), i).isCloseTo(expected[i], within(1e-5f));
      off = Math.max(off, Math.abs(before[i] - expected[i]));
    }
    assertThat(off).isGreaterThan(1e-2);
    return rewritten;
  }

  private static long floats(Model model) {
    return model.graph().initializers().values().stream()
        .map(Initializer::tensor)
        .filter(tensor -> tensor.type() == ElementType.FLOAT && tensor.rank() > 1)
        .mapToLong(Tensor::elements)
        .sum();
  }

  private static Map<Integer, int[]> without(Map<Integer, int[]> kept, Set<Integer> removed) {
    Map<Integer, int[]> left = new HashMap<>(kept);
    left.keySet().removeAll(removed);
    return left;
  }

  @ParameterizedTest
  @EnumSource
  void isWhatTheOracleSaysOfEveryStack(Stack stack) {
    TinyMoe tiny = stack.tiny();
    for (Set<Integer> removed : List.of(Set.of(1), Set.of(0, 3), Set.of(0, 1, 3))) {
      rewritten(tiny, without(NarrowMoe.alike(), removed), removed);
    }
  }

  static List<Stack> divisible() {
    return NarrowMoe.divisible();
  }

  @ParameterizedTest
  @MethodSource("divisible")
  void isWhatTheOracleSaysOfAtoms(Stack stack) {
    TinyMoe tiny = stack.tiny();
    for (Set<Integer> removed : List.of(Set.of(2), Set.of(3), Set.of(1, 2))) {
      rewritten(tiny, without(NarrowMoe.unlike(), removed), removed);
    }
  }

  /** Three neurons of an expert, one of another and all five of a third are left. */
  @ParameterizedTest
  @EnumSource(names = {"GATHERED", "STACKED", "EINSUM", "FUSED"})
  void leavesTheAtomsOfStacks(Stack stack) {
    Model rewritten = rewritten(stack.tiny(), NarrowMoe.unlike(), Set.of(2));

    assertThat(floats(rewritten)).isEqualTo(4 * 4 + (3 + 1 + 5) * 4 * 2);
  }

  /** Three of five neurons of three of four experts are left, and the router. */
  @ParameterizedTest
  @EnumSource(names = {"GATHERED", "STACKED", "EINSUM", "GROUPED", "FUSED"})
  void leavesWhatIsKeptOfStacks(Stack stack) {
    TinyMoe tiny = stack.tiny();
    Model rewritten = rewritten(tiny, without(NarrowMoe.alike(), Set.of(2)), Set.of(2));

    assertThat(floats(rewritten)).isEqualTo(4 * 4 + 3 * 3 * 4 * 2);
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"GATHERED", "GATHERED_FOR_TOKENS", "FUSED", "STACKED", "GROUPED"})
  void isWhatTheOracleSaysOfEverySpelling(Spelling spelling) {
    for (Body body : List.of(Body.PLAIN, Body.CONCATENATED)) {
      if (body == Body.PLAIN || spelling != Spelling.ROUNDS) {
        TinyMoe tiny = body.of(spelling);
        rewritten(tiny, without(NarrowMoe.kept(), Set.of(2)), Set.of(2));
        rewritten(tiny, without(NarrowMoe.kept(), Set.of(0, 3)), Set.of(0, 3));
      }
    }
  }
}
