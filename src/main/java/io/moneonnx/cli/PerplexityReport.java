package io.moneonnx.cli;

import io.moneonnx.eval.Perplexity;
import io.moneonnx.json.Fields;
import io.moneonnx.pipeline.MeasurePerplexity;
import java.util.ArrayList;
import java.util.List;

/** The perplexity of each source, and of all of them where there are several. */
record PerplexityReport(MeasurePerplexity.Result result) implements Report {
  @Override
  public String text() {
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

  @Override
  public Fields json() {
    List<Fields> sources = new ArrayList<>();
    result
        .sources()
        .forEach((name, found) -> sources.add(json(new Fields().with("source", name), found)));
    return new Fields()
        .with(
            "perplexity",
            new Fields()
                .with("window", result.length())
                .with("stride", result.stride())
                .with("sources", sources)
                .with("total", json(new Fields(), result.total())));
  }

  /** What is not defined is null: the error of one window, bytes of arrays. */
  private static Fields json(Fields fields, Perplexity found) {
    boolean isText = found.bytes().isPresent();
    return fields
        .with("windows", found.windows())
        .with("tokens", found.tokens())
        .with("natsPerToken", found.natsPerToken())
        .with("standardError", found.standardError())
        .with("perplexity", found.perToken())
        .with("accuracy", found.accuracy())
        .with("bytes", found.bytes())
        .with("bitsPerByte", isText ? found.bitsPerByte() : null)
        .with("perplexityPerByte", isText ? found.perByte() : null);
  }
}
