package io.moneonnx.eval;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.rewrite.Replacement;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What is done to a model's experts.
 *
 * @param changes by name of block; blocks without one stay as they are
 */
public record ModelChanges(Map<String, Change> changes) {
  /** Nothing. */
  public static final ModelChanges NONE = new ModelChanges(Map.of());

  public ModelChanges {
    changes = Collections.unmodifiableMap(new LinkedHashMap<>(changes));
  }

  /**
   * What a plan says, with novices from a profile.
   *
   * @throws BadInputException if the profile holds nothing of a block that loses experts
   */
  public static ModelChanges of(Plan plan, Novice novice, Profile profile) {
    Map<String, Change> changes = new LinkedHashMap<>();
    for (Plan.Block block : plan.blocks()) {
      if (!block.pruned().isEmpty()) {
        BlockStatistics statistics = measured(block, profile);
        changes.put(
            block.name(),
            switch (plan.router()) {
              case KEEP -> replacement(block.pruned(), novice, statistics);
              case CUT -> new Removal(new TreeSet<>(block.pruned()));
            });
      }
    }
    return new ModelChanges(changes);
  }

  /**
   * What a profile holds of a block of a plan.
   *
   * @throws BadInputException if that is nothing
   */
  public static BlockStatistics measured(Plan.Block block, Profile profile) {
    return profile
        .block(block.name())
        .orElseThrow(
            () ->
                new BadInputException(
                    "block '%s' is in the plan, but not in the profile".formatted(block.name())));
  }

  private static Replacement replacement(
      List<Integer> pruned, Novice novice, BlockStatistics statistics) {
    TreeMap<Integer, float[]> novices = new TreeMap<>();
    pruned.forEach(expert -> novices.put(expert, novice.of(statistics, expert)));
    return Replacement.byNovices(novices);
  }

  /** Experts of this block that a novice stands in for. */
  Replacement replaced(String block) {
    return changes.get(block) instanceof Replacement replacement ? replacement : Replacement.NONE;
  }

  /** Experts of this block that its router has lost. */
  List<Integer> gone(String block) {
    return changes.get(block) instanceof Removal removal ? removal.experts() : List.of();
  }
}
