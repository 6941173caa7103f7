package io.moneonnx.cli;

import io.moneonnx.json.Fields;
import io.moneonnx.plan.Forecast;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Margins;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Stability;
import io.moneonnx.profile.Profile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a plan does and what it costs, for programs. Parts and errors are fractions, sizes bytes;
 * what is not known is null:
 *
 * <pre>{@code
 * {"file", "criterion", "budget", "router", "novice", "calls", "bytes", "shards",
 *  "blocks": [{"name", "experts", "pruned": [], "calls", "error", "margin", "unstable": []}]}
 * }</pre>
 */
record PlanJson(Profile profile, Goal goal, Plan plan, Path file) {
  Fields json() {
    Forecast forecast = Forecast.of(profile, plan, goal.novice());
    Optional<Stability> stability = Stability.of(profile, goal);
    List<OptionalDouble> margins = Margins.of(profile, goal, plan).blocks();
    List<Fields> blocks = new ArrayList<>();
    for (int i = 0; i < plan.blocks().size(); i++) {
      int block = i;
      blocks.add(
          new Fields()
              .with("name", plan.blocks().get(i).name())
              .with("experts", plan.blocks().get(i).experts())
              .with("pruned", plan.blocks().get(i).pruned())
              .with("calls", forecast.blocks().get(i).share())
              .with("error", forecast.blocks().get(i).error())
              .with("margin", margins.get(i))
              .with("unstable", stability.map(known -> known.unstable().get(block))));
    }
    return new Fields()
        .with("file", file)
        .with("criterion", goal.criterion().description())
        .with("budget", goal.budget())
        .with("router", plan.router())
        .with("novice", plan.novice())
        .with("calls", forecast.share())
        .with("bytes", forecast.bytes())
        .with("shards", stability.map(Stability::shards))
        .with("blocks", blocks);
  }
}
