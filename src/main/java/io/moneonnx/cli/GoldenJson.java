package io.moneonnx.cli;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.pipeline.CheckGolden;
import io.moneonnx.verify.golden.GoldenReport;
import io.moneonnx.verify.golden.GoldenReport.Deviation;
import io.moneonnx.verify.golden.GoldenReport.Flip;
import io.moneonnx.verify.golden.GoldenReport.OutputCheck;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;

/** What a check of golden outputs found, as JSON; what is not finite is null. */
final class GoldenJson {
  private final CheckGolden.Result result;

  GoldenJson(CheckGolden.Result result) {
    this.result = result;
  }

  void writeTo(JsonWriter json) throws IOException {
    write(json, result.report());
  }

  private void write(JsonWriter json, GoldenReport report) throws IOException {
    json.beginObject().name("holds").value(report.holds());
    json.name("sameModel").value(result.sameModel());
    json.name("recorded").beginObject();
    for (Map.Entry<String, String> fact : result.golden().origin().entrySet()) {
      json.name(fact.getKey()).value(fact.getValue());
    }
    json.endObject().name("inputs").beginArray();
    for (String input : report.inputs()) {
      json.value(input);
    }
    json.endArray().name("outputs").beginArray();
    for (OutputCheck output : report.outputs()) {
      write(json, output);
    }
    json.endArray();
    json.name("routing").value(report.routing().name().toLowerCase(Locale.ROOT));
    json.name("positions").value(report.positions());
    json.name("leftOut").value(report.leftOut());
    json.name("flips").beginArray();
    for (Flip flip : report.flips()) {
      write(json, flip);
    }
    json.endArray().endObject();
  }

  private static void write(JsonWriter json, OutputCheck output) throws IOException {
    json.beginObject().name("name").value(output.name());
    json.name("rtol").value(output.relative());
    json.name("rows").value(output.rows());
    json.name("moved").value(output.moved());
    json.name("errorOverAllowed").value(Finite.orNull(output.worst()));
    if (output.failure().isPresent()) {
      json.name("failure").value(output.failure().get().text());
    }
    if (output.failure().orElse(null) instanceof Deviation.Moved first) {
      json.name("first").beginObject();
      json.name("run").value(first.place().run());
      json.name("row").value(first.place().row());
      json.name("place").value(first.place().text());
      json.name("figure").value(first.figure().toString());
      json.name("recorded").value(Finite.orNull(first.recorded()));
      json.name("found").value(Finite.orNull(first.found()));
      json.name("allowed").value(Finite.orNull(first.allowed()));
      json.endObject();
    }
    json.endObject();
  }

  private static void write(JsonWriter json, Flip flip) throws IOException {
    json.beginObject().name("router").value(flip.router());
    json.name("place").value(flip.place());
    json.name("gap").value(Finite.orNull(flip.gap()));
    json.name("bound").value(flip.bound());
    json.name("rounding").value(flip.isRounding());
    json.endObject();
  }
}
