package io.moneonnx.cli;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.plan.Forecast;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Margins;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Stability;
import io.moneonnx.profile.Profile;
import java.io.IOException;
import java.nio.file.Path;
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
  void writeTo(JsonWriter json) throws IOException {
    Forecast forecast = Forecast.of(profile, plan, goal.novice());
    Optional<Stability> stability = Stability.of(profile, goal);
    json.beginObject();
    json.name("file").value(file.toString());
    json.name("criterion").value(goal.criterion().description());
    json.name("budget").value(goal.budget());
    json.name("router").value(plan.router().toString());
    json.name("novice").value(plan.novice().map(Object::toString).orElse(null));
    json.name("calls").value(forecast.share());
    json.name("bytes").value(forecast.bytes());
    json.name("shards").value(stability.map(Stability::shards).orElse(null));
    json.name("blocks").beginArray();
    List<OptionalDouble> margins = Margins.of(profile, goal, plan).blocks();
    for (int i = 0; i < plan.blocks().size(); i++) {
      int block = i;
      json.beginObject();
      json.name("name").value(plan.blocks().get(i).name());
      json.name("experts").value(plan.blocks().get(i).experts());
      json.name("pruned").jsonValue(plan.blocks().get(i).pruned().toString());
      json.name("calls").value(forecast.blocks().get(i).share());
      number(json.name("error"), forecast.blocks().get(i).error());
      number(json.name("margin"), margins.get(i));
      json.name("unstable")
          .jsonValue(stability.map(known -> known.unstable().get(block).toString()).orElse("null"));
      json.endObject();
    }
    json.endArray().endObject();
  }

  private static void number(JsonWriter json, OptionalDouble value) throws IOException {
    if (value.isPresent()) {
      json.value(value.getAsDouble());
    } else {
      json.nullValue();
    }
  }
}
