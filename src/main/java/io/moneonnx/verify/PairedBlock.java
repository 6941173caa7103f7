package io.moneonnx.verify;

import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.rewrite.Provenance.Gone;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * A block as the original and as the pruned model compute it.
 *
 * @param prunedOutput the value that is its routed output in the pruned model
 * @param gone its experts that are gone; empty where its calls cannot be counted
 */
record PairedBlock(MoeBlock block, String prunedOutput, Optional<Gone> gone) {
  /** Values of the original that are compared or counted. */
  List<String> valuesBefore() {
    List<String> values = new ArrayList<>(List.of(block.output()));
    values.addAll(isCut() ? choice() : List.of());
    return values;
  }

  /** Values of the pruned model that are compared or counted. */
  List<String> valuesAfter() {
    List<String> values = new ArrayList<>(List.of(prunedOutput));
    values.addAll(gone.isPresent() && !isCut() ? choice() : List.of());
    return values;
  }

  /**
   * A router that lost experts does not choose them: what the original chose tells which calls go
   * elsewhere now.
   */
  boolean isCut() {
    return gone.filter(experts -> !experts.removed().isEmpty()).isPresent();
  }

  /** The values that say whom each token chooses. */
  List<String> choice() {
    return block.routing().choice().shownBy();
  }

  BlockDrift drift(Map<String, Tensor> before, Map<String, Tensor> after, RunTokens tokens) {
    Map<String, Tensor> counted = isCut() ? before : after;
    return new BlockDrift(
        tokens.distance(
            "block '%s'".formatted(block.name()),
            before.get(block.output()),
            after.get(prunedOutput)),
        gone.map(experts -> calls(experts, counted, tokens)));
  }

  private Calls calls(Gone experts, Map<String, Tensor> values, RunTokens tokens) {
    long[] ids = block.routing().ids(values);
    Set<Integer> met =
        experts.removed().isEmpty() ? experts.replaced().keySet() : experts.removed();
    IntPredicate isKept = block.routing().choice().kept(values, block.experts());
    int[] made =
        IntStream.range(0, ids.length)
            .filter(slot -> tokens.isShown(slot / block.topK()) && isKept.test(slot))
            .toArray();
    long lost = IntStream.of(made).filter(slot -> met.contains((int) ids[slot])).count();
    return new Calls(made.length, lost);
  }
}
