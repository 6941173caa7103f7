package io.moneonnx.cli;

import io.moneonnx.eval.TaggedPerplexity;
import io.moneonnx.pipeline.Search;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Ratio;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** What a search tried, the smallest ratio first; what any tag costs has a column of its own. */
final class TrialTable {
  private static final String NONE = "-";

  private final Search.Found found;

  TrialTable(Search.Found found) {
    this.found = found;
  }

  @Override
  public String toString() {
    Table table = new Table(row("ratio", "pruned", "perplexity", "increase", tag -> tag, "within"));
    String unpruned = perplexity(found.unpruned());
    table.row(row(NONE, 0, unpruned, NONE, tag -> NONE, NONE));
    found.trials().forEach(trial -> table.row(row(trial)));
    return "%stried    %d of %d ratios, for an increase of %s at most%n"
        .formatted(table, found.trials().size(), found.candidates(), percent(found.limit()));
  }

  private Object[] row(Search.Trial trial) {
    String ratio = ((Ratio) trial.goal().amount()).ratio().toPlainString();
    int pruned = trial.plan().blocks().stream().map(Plan.Block::pruned).mapToInt(List::size).sum();
    return trial
        .perplexity()
        .map(perplexity -> row(ratio, pruned, perplexity))
        .orElseGet(() -> row(ratio, pruned, NONE, NONE, tag -> NONE, "cannot be"));
  }

  private Object[] row(String ratio, int pruned, TaggedPerplexity perplexity) {
    TaggedPerplexity.Increase increase = perplexity.increaseOver(found.unpruned());
    return row(
        ratio,
        pruned,
        perplexity(perplexity),
        percent(increase.total()),
        tag -> percent(increase.tags().get(tag)),
        found.allows(perplexity) ? "yes" : "no");
  }

  private Object[] row(
      Object ratio,
      Object pruned,
      Object perplexity,
      Object increase,
      UnaryOperator<String> ofTag,
      Object within) {
    List<Object> cells = new ArrayList<>(List.of(ratio, pruned, perplexity, increase));
    found.unpruned().tags().keySet().forEach(tag -> cells.add(ofTag.apply(tag)));
    cells.add(within);
    return cells.toArray();
  }

  static String perplexity(TaggedPerplexity perplexity) {
    return "%.4f".formatted(perplexity.total());
  }

  static String percent(double part) {
    return "%+.3f%%".formatted(100 * part);
  }
}
