package io.moneonnx.cli;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.pipeline.Verify;
import io.moneonnx.verify.BlockDrift;
import io.moneonnx.verify.Calls;
import io.moneonnx.verify.Distance;
import io.moneonnx.verify.Drift;
import io.moneonnx.verify.Gate;
import io.moneonnx.verify.Predictions;
import io.moneonnx.verify.Predictions.Perplexities;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * How far a pruned model has moved, for programs. Parts are fractions, divergences nats; what is
 * not known, not defined or not finite is null. {@code total} and what stands under each tag look
 * alike:
 *
 * <pre>{@code
 * {"model", "pruned", "sequences", "tokens", "total": DRIFT, "tags": {"TAG": DRIFT},
 *  "gates": [{"measure", "where", "found", "bound", "holds", "text"}], "missing": []}
 *
 * DRIFT
 * {"predictions": {"positions", "klMean", "klP99", "klMax", "top1", "tokens",
 *                  "perplexity", "prunedPerplexity", "perplexityIncrease"},
 *  "calls": {"made", "gone", "share"},
 *  "outputs": {"NAME": {"relativeError", "cosine"}},
 *  "blocks": {"NAME": {"relativeError", "cosine", "calls": {"made", "gone", "share"}}}}
 * }</pre>
 */
record DriftJson(Path model, Path pruned, Verify.Report report) {
  void writeTo(JsonWriter json) throws IOException {
    json.beginObject();
    json.name("model").value(model.toString());
    json.name("pruned").value(pruned.toString());
    json.name("sequences").value(report.sequences());
    json.name("tokens").value(report.tokens());
    json.name("total");
    drift(json, report.total());
    json.name("tags").beginObject();
    for (Verify.Scope tag : report.tags()) {
      json.name(tag.where());
      drift(json, tag.drift());
    }
    json.endObject();
    json.name("gates").beginArray();
    for (Gate.Outcome outcome : report.outcomes()) {
      gate(json, outcome);
    }
    json.endArray();
    json.name("missing").beginArray();
    for (String line : report.missing()) {
      json.value(line);
    }
    json.endArray().endObject();
  }

  private static void drift(JsonWriter json, Drift drift) throws IOException {
    json.beginObject();
    json.name("predictions");
    predictions(json, drift.predictions());
    json.name("calls");
    calls(json, drift.calls());
    json.name("outputs").beginObject();
    for (Map.Entry<String, Distance> output : drift.outputs().entrySet()) {
      json.name(output.getKey()).beginObject();
      distance(json, output.getValue());
      json.endObject();
    }
    json.endObject();
    json.name("blocks").beginObject();
    for (Map.Entry<String, BlockDrift> block : drift.blocks().entrySet()) {
      json.name(block.getKey()).beginObject();
      distance(json, block.getValue().output());
      json.name("calls");
      calls(json, block.getValue().calls());
      json.endObject();
    }
    json.endObject().endObject();
  }

  private static void predictions(JsonWriter json, Optional<Predictions> found) throws IOException {
    if (found.isEmpty()) {
      json.nullValue();
      return;
    }
    Predictions tokens = found.get();
    Optional<Perplexities> both = tokens.perplexities();
    json.beginObject();
    json.name("positions").value(tokens.positions());
    json.name("klMean").value(Finite.orNull(tokens.divergence()));
    json.name("klP99").value(Finite.orNull(tokens.highDivergence()));
    json.name("klMax").value(Finite.orNull(tokens.largestDivergence()));
    json.name("top1").value(Finite.orNull(tokens.agreement()));
    json.name("tokens").value(both.map(Perplexities::tokens).orElse(0L));
    json.name("perplexity").value(both.map(Perplexities::before).map(Finite::orNull).orElse(null));
    json.name("prunedPerplexity")
        .value(both.map(Perplexities::after).map(Finite::orNull).orElse(null));
    json.name("perplexityIncrease")
        .value(both.map(Perplexities::increase).map(Finite::orNull).orElse(null));
    json.endObject();
  }

  private static void calls(JsonWriter json, Optional<Calls> found) throws IOException {
    if (found.isEmpty()) {
      json.nullValue();
      return;
    }
    json.beginObject();
    json.name("made").value(found.get().made());
    json.name("gone").value(found.get().met());
    json.name("share").value(found.get().share());
    json.endObject();
  }

  private static void distance(JsonWriter json, Distance moved) throws IOException {
    json.name("relativeError").value(Finite.orNull(moved.relativeError()));
    json.name("cosine").value(Finite.orNull(moved.cosine()));
  }

  private static void gate(JsonWriter json, Gate.Outcome outcome) throws IOException {
    json.beginObject();
    json.name("measure").value(outcome.what());
    json.name("where").value(outcome.where());
    json.name("found").value(Finite.orNull(outcome.found()));
    json.name("bound").value(outcome.gate().bound());
    json.name("holds").value(outcome.holds());
    json.name("text").value(outcome.text());
    json.endObject();
  }
}
