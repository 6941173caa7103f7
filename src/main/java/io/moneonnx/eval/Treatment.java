package io.moneonnx.eval;

import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.rewrite.Replacement;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What is done to a model's experts.
 *
 * @param replacements by name of block; with the router cut, which has no use for novices, only
 *     which experts go
 */
public record Treatment(Map<String, Replacement> replacements, Plan.Router router) {
  /** Nothing. */
  public static final Treatment NONE = new Treatment(Map.of(), Plan.Router.KEEP);

  public Treatment {
    replacements = Collections.unmodifiableMap(new LinkedHashMap<>(replacements));
  }

  /** What a plan says, with novices from the profile that it was made from. */
  public static Treatment of(Plan plan, Novice novice, Profile profile) {
    Map<String, Replacement> replacements = new LinkedHashMap<>();
    for (Plan.Block block : plan.blocks()) {
      BlockStatistics statistics = profile.block(block.name()).orElseThrow();
      TreeMap<Integer, float[]> novices = new TreeMap<>();
      block.pruned().forEach(expert -> novices.put(expert, novice.of(statistics, expert)));
      replacements.put(block.name(), new Replacement(novices));
    }
    return new Treatment(replacements, plan.router());
  }
}
