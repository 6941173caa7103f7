package io.moneonnx.plan;

import io.moneonnx.profile.Profile;
import java.util.Collections;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What narrowing all experts is predicted to cost by how much of their bytes goes: the sum of their
 * weighted distortions.
 *
 * @param damage by percentage: 10, 20, .. 80, as far as limits allow
 */
public record DamageForecast(SortedMap<Integer, Double> damage) {
  public DamageForecast {
    damage = Collections.unmodifiableSortedMap(new TreeMap<>(damage));
  }

  /** Whatever the amount of the goal, which narrows experts. */
  public static DamageForecast of(Profile profile, Goal goal) {
    return new DamageForecast(new NarrowPlanner(profile, goal).forecast());
  }

  /**
   * Where the curve turns upwards: the percentage at which it is farthest below the straight line
   * between its ends; empty where it is nowhere below.
   */
  public OptionalInt knee() {
    int knee = 0;
    double farthest = 0;
    for (int percent : damage.keySet()) {
      int first = damage.firstKey();
      double part = (percent - first) / (double) Math.max(1, damage.lastKey() - first);
      double line = damage.get(first) + part * (damage.get(damage.lastKey()) - damage.get(first));
      if (line - damage.get(percent) > farthest) {
        farthest = line - damage.get(percent);
        knee = percent;
      }
    }
    return knee == 0 ? OptionalInt.empty() : OptionalInt.of(knee);
  }
}
