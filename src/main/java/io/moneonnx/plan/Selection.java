package io.moneonnx.plan;

import java.util.List;
import java.util.stream.IntStream;

/**
 * The experts that go.
 *
 * @param pruned by block in the blocks' order, ascending
 */
record Selection(List<List<Integer>> pruned) {
  Selection {
    pruned = pruned.stream().map(block -> block.stream().sorted().toList()).toList();
  }

  int count() {
    return pruned.stream().mapToInt(List::size).sum();
  }

  int blocks() {
    return pruned.size();
  }

  List<Integer> of(int block) {
    return pruned.get(block);
  }

  /** The experts of a block that go either here or there, but not in both. */
  List<Integer> differences(Selection other, int block) {
    return IntStream.concat(only(other, block), other.only(this, block)).sorted().boxed().toList();
  }

  private IntStream only(Selection other, int block) {
    return of(block).stream()
        .filter(expert -> !other.of(block).contains(expert))
        .mapToInt(Integer::intValue);
  }
}
