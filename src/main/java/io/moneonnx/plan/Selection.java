package io.moneonnx.plan;

import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The experts that go.
 *
 * @param pruned by block in the blocks' order, ascending
 */
record Selection(List<List<Integer>> pruned) {
  Selection {
    pruned = pruned.stream().map(block -> block.stream().sorted().toList()).toList();
  }

  static Selection none(int blocks) {
    return new Selection(Collections.nCopies(blocks, List.of()));
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
  Set<Integer> differences(Selection other, int block) {
    Set<Integer> either = new HashSet<>(of(block));
    for (int expert : other.of(block)) {
      if (!either.add(expert)) {
        either.remove(expert);
      }
    }
    return either;
  }
}
