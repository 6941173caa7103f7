package io.moneonnx.cli;

import io.moneonnx.pipeline.Verify;
import io.moneonnx.verify.BlockDrift;
import io.moneonnx.verify.Calls;
import io.moneonnx.verify.Distance;
import io.moneonnx.verify.Predictions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** How far a pruned model has moved, as tables for people. */
record DriftText(Verify.Report report) {
  private static final double TINY = 1e-4;

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    if (report.total().predictions().isPresent()) {
      text.append(predictions()).append('\n');
    }
    text.append(outputs());
    if (!report.total().blocks().isEmpty()) {
      text.append('\n').append(blocks());
    }
    if (!report.missing().isEmpty()) {
      text.append('\n');
      report.missing().forEach(line -> text.append("missing  ").append(line).append('\n'));
    }
    if (!report.outcomes().isEmpty()) {
      int held = report.outcomes().size() - report.breaches().size();
      text.append("\nbounds   %d of %d hold%n".formatted(held, report.outcomes().size()));
    }
    return text.toString();
  }

  private Table predictions() {
    Table table =
        new Table(
            "data",
            "positions",
            "KL mean",
            "KL 99%",
            "KL largest",
            "same first",
            "perplexity",
            "pruned",
            "increase",
            met());
    for (Verify.Scope scope : report.scopes()) {
      scope
          .drift()
          .predictions()
          .map(tokens -> row(scope.where(), tokens, scope.drift().calls()))
          .ifPresent(row -> table.row(row.toArray()));
    }
    return table;
  }

  private static List<Object> row(String where, Predictions tokens, Optional<Calls> calls) {
    List<Object> row =
        new ArrayList<>(
            List.of(
                where,
                "%,d".formatted(tokens.positions()),
                number("%.4f", tokens.divergence()),
                number("%.4f", tokens.highDivergence()),
                number("%.4f", tokens.largestDivergence()),
                percent(tokens.agreement())));
    if (tokens.perplexities().isPresent()) {
      Predictions.Perplexities both = tokens.perplexities().get();
      row.add(number("%.3f", both.before()));
      row.add(number("%.3f", both.after()));
      row.add(number("%+.2f%%", 100 * both.increase()));
    } else {
      row.addAll(List.of("-", "-", "-"));
    }
    row.add(share(calls));
    return row;
  }

  private Table outputs() {
    Table table = new Table("output", "data", "error", "cosine");
    for (String output : report.total().outputs().keySet()) {
      for (Verify.Scope scope : report.scopes()) {
        Distance moved = scope.drift().outputs().get(output);
        table.row(output, scope.where(), error(moved), cosine(moved));
      }
    }
    return table;
  }

  private Table blocks() {
    Table table = new Table("block", "error", "cosine", met());
    for (Map.Entry<String, BlockDrift> block : report.total().blocks().entrySet()) {
      BlockDrift moved = block.getValue();
      table.row(
          block.getKey(), error(moved.output()), cosine(moved.output()), share(moved.calls()));
    }
    return table;
  }

  private String met() {
    return report.isRouterCut() ? "elsewhere" : "met a novice";
  }

  private static String error(Distance moved) {
    return number("%.3g", moved.relativeError());
  }

  private static String cosine(Distance moved) {
    return number("%.6f", moved.cosine());
  }

  private static String share(Optional<Calls> calls) {
    return calls.map(counted -> percent(counted.share())).orElse("-");
  }

  private static String percent(double share) {
    return number("%.2f%%", 100 * share);
  }

  /** What would be rounded to nothing is written with its exponent. */
  private static String number(String format, double number) {
    if (Double.isNaN(number)) {
      return "-";
    } else if (Double.isInfinite(number)) {
      return "infinite";
    }
    boolean isTiny = number != 0 && Math.abs(number) < TINY;
    return (isTiny && !format.endsWith("%%") ? "%.1e" : format).formatted(number);
  }
}
