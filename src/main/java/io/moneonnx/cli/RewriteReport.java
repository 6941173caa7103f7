package io.moneonnx.cli;

import io.moneonnx.eval.TaggedPerplexity;
import io.moneonnx.io.Written;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Refusal;
import io.moneonnx.pipeline.Prune;
import io.moneonnx.pipeline.Rewrite;
import io.moneonnx.plan.Forecast;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Stability;
import io.moneonnx.rewrite.Change;
import io.moneonnx.verify.Drift;
import io.moneonnx.verify.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What was replaced, how large the model is now, what proves it and how far it has moved. */
record RewriteReport(Prune.Result result) {
  @Override
  public String toString() {
    Rewrite.Report report = result.report();
    StringBuilder text = new StringBuilder();
    result
        .search()
        .ifPresent(searched -> text.append(new TrialTable(searched.found())).append("\n"));
    text.append(blocks());
    text.append("forecast ").append(forecast()).append('\n');
    text.append(size(report));
    text.append("proof    ").append(verdict(report.verdict())).append('\n');
    report
        .twins()
        .forEach(
            (file, verdict) -> text.append("twin     %s: %s%n".formatted(file, verdict(verdict))));
    report
        .companions()
        .forEach((file, own) -> text.append("also     %s: %s%n".formatted(file, own(own))));
    result.search().ifPresent(searched -> text.append("costs    %s%n".formatted(costs(searched))));
    report.drift().ifPresent(drift -> text.append(moved(drift, report.driftOn())));
    report.written().files().forEach(file -> text.append("written  %s%n".formatted(file)));
    report.refitted().ifPresent(file -> text.append("written  %s%n".formatted(file)));
    return text.toString();
  }

  private static String own(Rewrite.OwnChanges own) {
    List<String> blocks = new ArrayList<>();
    own.changes()
        .forEach((block, change) -> blocks.add("%s: %s".formatted(block, change.summary())));
    return "%s; %s".formatted(String.join(", ", blocks), verdict(own.verdict()));
  }

  private static String verdict(Optional<Verdict> verdict) {
    return verdict.map(Verdict::text).orElse("left out (--no-verify)");
  }

  /** Bytes that the model is made of, wherever they lie. */
  private static String size(Rewrite.Report report) {
    Written written = report.written();
    Written.Linked linked = written.linked();
    long bytes = written.bytes() + linked.bytes();
    StringBuilder text =
        new StringBuilder(
            "size     %,d -> %,d bytes (%.1f%%)%n"
                .formatted(report.bytesBefore(), bytes, 100.0 * bytes / report.bytesBefore()));
    if (linked.bytes() > 0) {
      text.append(
          "linked   %,d bytes of these stay in what must stay as it is:%n"
              .formatted(linked.bytes()));
      linked.files().forEach(file -> text.append("         %s%n".formatted(file)));
      text.append("         %,d bytes are new or had to move%n".formatted(written.bytes()));
    }
    return text.toString();
  }

  /** A table of those that were measured; what was refused before or after measuring stands by. */
  private String blocks() {
    Rewrite.Report report = result.report();
    StringBuilder refused = new StringBuilder();
    boolean isNarrow = result.plan().isNarrow();
    Table table =
        isNarrow
            ? new Table(WidthTable.head())
            : new Table("block", "experts", "kept", done(report));
    for (MoeBlock block : result.subject().blocks()) {
      if (result.profile().block(block.name()).isEmpty()) {
        refused.append(
            "refused  %s: reconstructed output differs from the graph's%n".formatted(block.name()));
        continue;
      }
      if (isNarrow) {
        table.row(widths(block).cells().toArray());
        continue;
      }
      Change change = report.changes().get(block.name());
      int gone = change == null ? 0 : change.experts().size();
      int owners = block.owners().size();
      table.row(block.name(), owners, owners - gone, gone);
    }
    StringBuilder text = refused.append(table);
    for (Refusal refusal : result.subject().findings().refusals()) {
      text.append("refused  %s: %s%n".formatted(refusal.where(), refusal.reason()));
    }
    return text.toString();
  }

  private WidthTable widths(MoeBlock block) {
    return WidthTable.of(
        result.profile(),
        result
            .plan()
            .block(block.name())
            .orElseGet(() -> new Plan.Block(block.name(), block.experts(), List.of())));
  }

  private static String done(Rewrite.Report report) {
    return report.changes().values().iterator().next().done();
  }

  private String forecast() {
    Novice novice = result.plan().novice().orElse(Novice.MEAN);
    Forecast forecast = Forecast.of(result.profile(), result.plan(), novice);
    String met = PlanReport.percent(forecast.share()) + " of the routed calls meet a pruned expert";
    if (result.plan().isNarrow()) {
      return met
          + forecast
              .worst()
              .map(
                  worst ->
                      "; the largest error of a block's output is %s, in %s"
                          .formatted(PlanReport.percent(worst.error().getAsDouble()), worst.name()))
              .orElse("");
    }
    return result
        .goal()
        .flatMap(goal -> Stability.of(result.profile(), goal))
        .map(
            known ->
                met
                    + "; "
                    + (known.count() == 1
                        ? "1 pruning decision changes"
                        : known.count() + " pruning decisions change")
                    + " when any one shard is left out")
        .orElse(met);
  }

  /** Of the written file. */
  private static String costs(Prune.Searched searched) {
    TaggedPerplexity unpruned = searched.found().unpruned();
    TaggedPerplexity written = searched.written();
    return "perplexity %s -> %s (%s) on held-out data"
        .formatted(
            TrialTable.perplexity(unpruned),
            TrialTable.perplexity(written),
            TrialTable.percent(written.increaseOver(unpruned).total()));
  }

  private static String moved(Drift drift, String on) {
    StringBuilder text = new StringBuilder();
    drift
        .outputs()
        .forEach(
            (name, moved) ->
                text.append(
                    "moved    %s by %.3g relative, on %s%n"
                        .formatted(name, moved.relativeError(), on)));
    drift
        .predictions()
        .ifPresent(
            tokens ->
                text.append(
                    "         KL divergence %.4f nats, same first token at %.1f%% of %,d positions%n"
                        .formatted(
                            tokens.divergence(), 100 * tokens.agreement(), tokens.positions())));
    return text.toString();
  }
}
