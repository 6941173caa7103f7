package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;

/** A number of experts: of each block, or of the model. */
public record PruneCount(int number) implements Amount {
  public PruneCount {
    if (number < 1) {
      throw new BadInputException("prune-count: found " + number + ", expected 1 or more");
    }
  }

  @Override
  public Selection from(Candidates candidates, Scope scope) {
    return scope.supply(candidates).first(number);
  }

  @Override
  public String toString() {
    return "prune-count " + number;
  }
}
