package io.moneonnx.cli;

import io.moneonnx.json.Fields;
import io.moneonnx.pipeline.Verify;
import io.moneonnx.verify.BlockDrift;
import io.moneonnx.verify.Calls;
import io.moneonnx.verify.Distance;
import io.moneonnx.verify.Drift;
import io.moneonnx.verify.Gate;
import io.moneonnx.verify.Predictions;
import io.moneonnx.verify.Predictions.Perplexities;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** How far a pruned model has moved, and which bounds that breaks. */
record DriftReport(Path model, Path pruned, Verify.Report report) implements CheckReport {
  @Override
  public String text() {
    return new DriftText(report).toString();
  }

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
  @Override
  public Fields json() {
    Fields tags = new Fields();
    report.tags().forEach(tag -> tags.with(tag.where(), json(tag.drift())));
    return new Fields()
        .with("model", model)
        .with("pruned", pruned)
        .with("sequences", report.sequences())
        .with("tokens", report.tokens())
        .with("total", json(report.total()))
        .with("tags", tags)
        .with("gates", report.outcomes().stream().map(DriftReport::json).toList())
        .with("missing", report.missing());
  }

  private static Fields json(Drift drift) {
    return new Fields()
        .with("predictions", drift.predictions().map(DriftReport::json))
        .with("calls", drift.calls().map(DriftReport::json))
        .with("outputs", Fields.of(drift.outputs(), DriftReport::json))
        .with("blocks", Fields.of(drift.blocks(), DriftReport::json));
  }

  private static Fields json(Predictions found) {
    Optional<Perplexities> both = found.perplexities();
    return new Fields()
        .with("positions", found.positions())
        .with("klMean", found.divergence())
        .with("klP99", found.highDivergence())
        .with("klMax", found.largestDivergence())
        .with("top1", found.agreement())
        .with("tokens", both.map(Perplexities::tokens).orElse(0L))
        .with("perplexity", both.map(Perplexities::before))
        .with("prunedPerplexity", both.map(Perplexities::after))
        .with("perplexityIncrease", both.map(Perplexities::increase));
  }

  private static Fields json(Calls calls) {
    return new Fields()
        .with("made", calls.made())
        .with("gone", calls.met())
        .with("share", calls.share());
  }

  private static Fields json(Distance moved) {
    return new Fields().with("relativeError", moved.relativeError()).with("cosine", moved.cosine());
  }

  private static Fields json(BlockDrift block) {
    return json(block.output()).with("calls", block.calls().map(DriftReport::json));
  }

  private static Fields json(Gate.Outcome outcome) {
    return new Fields()
        .with("measure", outcome.what())
        .with("where", outcome.where())
        .with("found", outcome.found())
        .with("bound", outcome.gate().bound())
        .with("holds", outcome.holds())
        .with("text", outcome.text());
  }

  /** A case for each bound and each part of the data; one that says that it ran, without bounds. */
  @Override
  public JUnitFile junit() {
    List<JUnitFile.Case> cases =
        report.outcomes().stream()
            .map(
                outcome ->
                    new JUnitFile.Case(
                        outcome.where() + ": " + outcome.gate().measure(),
                        Optional.of(outcome.text()).filter(text -> !outcome.holds())))
            .toList();
    String ran = "ran on %,d sequences".formatted(report.sequences());
    return new JUnitFile(
        "mone-onnx verify", cases.isEmpty() ? List.of(JUnitFile.Case.passed(ran)) : cases);
  }

  @Override
  public Optional<String> failure() {
    return report.breaches().isEmpty()
        ? Optional.empty()
        : Optional.of(
            report.breaches().stream()
                .map(Gate.Outcome::text)
                .collect(
                    Collectors.joining("\n  ", pruned + ": is too far from the original\n  ", "")));
  }
}
