package io.moneonnx.cli;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.eval.Perplexity;
import io.moneonnx.pipeline.MeasurePerplexity;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Map;

/** The perplexity of each source, and of all of them where there are several. */
record PerplexityReport(MeasurePerplexity.Result result) {
  String text() {
    Table table =
        new Table(
            "source",
            "windows",
            "tokens",
            "nats",
            "error",
            "perplexity",
            "right",
            "bytes",
            "bits/byte",
            "ppl/byte");
    result.sources().forEach((name, perplexity) -> add(table, name, perplexity));
    if (result.sources().size() > 1) {
      add(table, "total", result.total());
    }
    return table.toString();
  }

  private static void add(Table table, String name, Perplexity found) {
    boolean isText = found.bytes().isPresent();
    boolean hasError = Double.isFinite(found.standardError());
    table.row(
        name,
        "%,d".formatted(found.windows()),
        "%,d".formatted(found.tokens()),
        "%.4f".formatted(found.natsPerToken()),
        hasError ? "%.4f".formatted(found.standardError()) : "-",
        "%.4f".formatted(found.perToken()),
        "%.2f%%".formatted(100 * found.accuracy()),
        isText ? "%,d".formatted(found.bytes().getAsLong()) : "-",
        isText ? "%.4f".formatted(found.bitsPerByte()) : "-",
        isText ? "%.4f".formatted(found.perByte()) : "-");
  }

  String json() throws IOException {
    StringWriter text = new StringWriter();
    JsonWriter json = new JsonWriter(text);
    json.setIndent("  ");
    json.beginObject().name("perplexity").beginObject();
    json.name("window").value(result.length());
    json.name("stride").value(result.stride());
    json.name("sources").beginArray();
    for (Map.Entry<String, Perplexity> source : result.sources().entrySet()) {
      json.beginObject().name("source").value(source.getKey());
      write(json, source.getValue());
      json.endObject();
    }
    json.endArray().name("total").beginObject();
    write(json, result.total());
    json.endObject().endObject().endObject();
    return text.append('\n').toString();
  }

  /** What is not defined is null: the error of one window, bytes of arrays. */
  private static void write(JsonWriter json, Perplexity found) throws IOException {
    json.name("windows").value(found.windows());
    json.name("tokens").value(found.tokens());
    json.name("natsPerToken").value(found.natsPerToken());
    json.name("standardError").value(Finite.orNull(found.standardError()));
    json.name("perplexity").value(found.perToken());
    json.name("accuracy").value(found.accuracy());
    boolean isText = found.bytes().isPresent();
    json.name("bytes").value(isText ? found.bytes().getAsLong() : null);
    json.name("bitsPerByte").value(isText ? found.bitsPerByte() : null);
    json.name("perplexityPerByte").value(isText ? found.perByte() : null);
  }
}
