package io.moneonnx.plan;

import java.util.List;

/** The experts that may go, in the order in which a scope takes them. */
interface PruningOrder {
  /** The largest number that {@link #first} gives. */
  int most();

  /** Of how many experts a part is taken: in the largest block, or in the model. */
  int largest();

  /**
   * The first of them, as many of each block or of the model.
   *
   * @throws io.moneonnx.graph.BadInputException if so many cannot go; says how many can
   */
  Selection first(int number);

  /**
   * A part of all experts, rounded down.
   *
   * @throws io.moneonnx.graph.BadInputException if so many cannot go; says how many can
   */
  Selection part(Ratio ratio);

  /** A ratio for each number of experts that can go, the smallest first; above 0 and below 1. */
  List<Ratio> ratios();
}
