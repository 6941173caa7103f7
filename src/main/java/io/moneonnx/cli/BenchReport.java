package io.moneonnx.cli;

import io.moneonnx.json.Fields;
import io.moneonnx.pipeline.Bench;
import io.moneonnx.pipeline.BenchFigures;
import io.moneonnx.pipeline.BenchMeasure;
import java.util.Locale;
import java.util.Map;

/**
 * What {@code bench} found, for people or programs. Times are in seconds, sizes in bytes:
 *
 * <pre>{@code
 * {"device", "threads", "rounds", "tokens", "madeUp",
 *  "original": {"file", "load", "prefill", "decode", "memory"}, "pruned": ..., "ratio": ...}
 * }</pre>
 */
record BenchReport(Bench.Request request, Bench.Result result, String device, int threads)
    implements Report {
  private static final double MILLISECONDS = 1e3;
  private static final double MEBIBYTE = 1 << 20;

  @Override
  public String text() {
    Table table = new Table("", "original", "pruned", "ratio");
    Map<BenchMeasure, Double> ratios = result.ratios();
    ratios.forEach(
        (measure, ratio) ->
            table.row(
                title(measure),
                text(measure, result.original()),
                text(measure, result.pruned()),
                "%.3f".formatted(ratio)));
    return table
        + "on       %s, %s; medians of %d rounds, a process for either model in each%n"
            .formatted(device, count(), request.rounds())
        + (request.data().isPresent()
            ? ""
            : "tokens   made up: they choose experts as no text does%n".formatted());
  }

  private String count() {
    if (threads == 0) {
      return "threads as ONNX Runtime likes";
    }
    return threads == 1 ? "1 thread" : threads + " threads";
  }

  private String title(BenchMeasure measure) {
    return switch (measure) {
      case FILE -> "file (bytes)";
      case LOAD -> "load (ms)";
      case PREFILL -> "prefill, %,d tokens (ms)".formatted(result.tokens());
      case DECODE -> "decode, 1 token (ms)";
      case RUN -> "run (ms)";
      case MEMORY -> "peak memory (MiB)";
    };
  }

  private static String text(BenchMeasure measure, BenchFigures figures) {
    double value = figures.values().get(measure);
    if (measure.isTime()) {
      return "%.2f".formatted(value * MILLISECONDS);
    }
    return measure == BenchMeasure.FILE
        ? "%,d".formatted((long) value)
        : "%,.0f".formatted(value / MEBIBYTE);
  }

  @Override
  public Fields json() {
    return new Fields()
        .with("device", device)
        .with("threads", threads)
        .with("rounds", request.rounds())
        .with("tokens", result.tokens())
        .with("madeUp", request.data().isEmpty())
        .with("original", json(result.original().values()))
        .with("pruned", json(result.pruned().values()))
        .with("ratio", json(result.ratios()));
  }

  private static Fields json(Map<BenchMeasure, Double> values) {
    Fields fields = new Fields();
    values.forEach((measure, value) -> fields.with(measure.name().toLowerCase(Locale.ROOT), value));
    return fields;
  }
}
