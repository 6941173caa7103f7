package io.moneonnx.plan;

import java.util.List;

/** How many experts may go, and from which blocks. */
public interface Budget {
  /**
   * The number of experts that each block loses, in the blocks' order: as many of the first in its
   * ranking.
   *
   * @throws io.moneonnx.graph.BadInputException if the budget cannot be met; says what can
   */
  List<Integer> pruned(List<Ranking> blocks);

  /**
   * Checks what can be known before anything is measured.
   *
   * @param experts how many each block has
   * @throws io.moneonnx.graph.BadInputException if the budget cannot be met; says what can
   */
  void check(List<Integer> experts);
}
