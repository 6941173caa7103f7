package io.moneonnx.cli;

import io.moneonnx.json.Fields;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.pipeline.LoadedModel;
import io.moneonnx.rewrite.Provenance.Gone;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What a model says that runs of this program did to it, and which experts own no weights. */
record PrunedBefore(List<MoeBlock> blocks, Map<String, Gone> gone, List<Map<String, String>> runs) {
  PrunedBefore(LoadedModel subject) {
    this(subject.blocks(), subject.read().gone(), subject.read().runs());
  }

  /** A line for each block and each run; empty where there is nothing to tell. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (MoeBlock block : blocks) {
      Set<Integer> others = new TreeSet<>(block.weightless());
      others.removeAll(gone.getOrDefault(block.name(), Gone.NONE).all());
      if (!others.isEmpty()) {
        text.append(
            "without  %s: experts %s own no weights%n"
                .formatted(block.name(), ExpertList.of(others)));
      }
    }
    gone.forEach((name, block) -> text.append("pruned   %s: %s%n".formatted(name, text(block))));
    for (int run = 0; run < runs.size(); run++) {
      text.append("run %-4d %s%n".formatted(run + 1, text(runs.get(run))));
    }
    return text.toString();
  }

  private static String text(Gone block) {
    List<String> parts = new ArrayList<>();
    byNovices(block)
        .forEach(
            (novices, experts) ->
                parts.add(
                    "%s replaced by %s"
                        .formatted(
                            ExpertList.of(experts),
                            novices.isEmpty() ? "zeros" : "constants '" + novices + "'")));
    if (!block.removed().isEmpty()) {
      parts.add("%s removed with their routers".formatted(ExpertList.of(block.removed())));
    }
    if (!block.widths().isEmpty()) {
      parts.add("%s narrowed".formatted(ExpertList.of(block.widths().keySet())));
    }
    return String.join("; ", parts);
  }

  private static Map<String, List<Integer>> byNovices(Gone block) {
    return block.replaced().keySet().stream()
        .collect(Collectors.groupingBy(block.replaced()::get, TreeMap::new, Collectors.toList()));
  }

  private static String text(Map<String, String> run) {
    return run.entrySet().stream()
        .map(fact -> fact.getKey() + " " + fact.getValue())
        .collect(Collectors.joining("; "));
  }

  /** The same for programs, where there is anything to tell. */
  Fields addTo(Fields fields) {
    if (!gone.isEmpty()) {
      fields.with("pruned", Fields.of(gone, block -> block));
    }
    return runs.isEmpty() ? fields : fields.with("runs", runs);
  }
}
