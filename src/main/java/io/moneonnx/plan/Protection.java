package io.moneonnx.plan;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** Experts that must stay whatever they score. */
public sealed interface Protection permits NamedExperts, SuperExperts {
  /** The experts by block; blocks without any may be left out. */
  Map<String, Set<Integer>> of(List<Measurements.Block> blocks);

  /** As it is asked for on a command line, without dashes. */
  @Override
  String toString();
}
