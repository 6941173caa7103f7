package io.moneonnx.plan;

import io.moneonnx.profile.Profile;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * How clear each block's decision is: by how much the first expert that stays scores above the last
 * that goes, relative to the former. Experts that are protected do not count. Absent where all or
 * none go, or where scores did not decide.
 *
 * @param blocks in the plan's order
 */
public record Margins(List<OptionalDouble> blocks) {
  public Margins {
    blocks = List.copyOf(blocks);
  }

  public static Margins of(Profile profile, Goal goal, Plan plan) {
    if (goal.ranking().isEmpty()) {
      return new Margins(Collections.nCopies(plan.blocks().size(), OptionalDouble.empty()));
    }
    Candidates candidates = Candidates.of(Measurements.of(profile), goal.terms());
    return new Margins(
        candidates.blocks().stream()
            .map(block -> margin(block, Set.copyOf(plan.pruned(block.name()))))
            .toList());
  }

  private static OptionalDouble margin(Candidates.Block block, Set<Integer> pruned) {
    OptionalDouble last =
        block.order().stream().filter(pruned::contains).mapToDouble(block::worth).max();
    OptionalDouble first =
        block.order().stream()
            .filter(expert -> !pruned.contains(expert))
            .mapToDouble(block::worth)
            .min();
    if (last.isEmpty() || first.isEmpty() || first.getAsDouble() < last.getAsDouble()) {
      return OptionalDouble.empty();
    }
    double kept = first.getAsDouble();
    return OptionalDouble.of(kept == 0 ? 0 : (kept - last.getAsDouble()) / kept);
  }
}
