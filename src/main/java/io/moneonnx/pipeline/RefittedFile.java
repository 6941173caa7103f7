package io.moneonnx.pipeline;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.profile.DownProjections;
import io.moneonnx.profile.DownProjections.Expert;
import io.moneonnx.profile.Values;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Replacement;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The down projections that a joint re-fit made, in a file beside the model: no profile holds what
 * they follow from, so a proof reads them there.
 */
final class RefittedFile {
  private static final String SUFFIX = ".refit";

  private final Path file;
  private final LoadedModel subject;

  RefittedFile(Path file, LoadedModel subject) {
    this.file = file;
    this.subject = subject;
  }

  /** {@code model.onnx.refit} for {@code model.onnx}, and likewise for a folder. */
  static Path beside(Path model) {
    return model.resolveSibling(model.getFileName() + SUFFIX);
  }

  /** Writes those of all experts that are narrowed. */
  void write(Map<String, Change> changes) {
    List<Expert> experts = new ArrayList<>();
    changes.forEach(
        (block, change) -> {
          if (change instanceof Replacement replacement) {
            replacement
                .narrow()
                .forEach(
                    (id, narrow) -> {
                      if (narrow.isRefitted()) {
                        experts.add(expert(block, id, narrow));
                      }
                    });
          }
        });
    new DownProjections(subject.fingerprint(), experts).write(file);
  }

  private static Expert expert(String block, int id, NarrowExpert narrow) {
    int width = narrow.width();
    double[] down = new double[narrow.hidden() * width];
    for (int at = 0; at < down.length; at++) {
      down[at] = narrow.down(at / width, at % width);
    }
    long[] kept = narrow.neurons().stream().mapToLong(Integer::longValue).toArray();
    return new Expert(block, id, Values.counts(kept), Values.of(down));
  }

  /**
   * The same changes with the down projections of the file.
   *
   * @param changes of the plan that the file was made for
   * @throws BadInputException if it was made for another model or plan; names block and expert
   */
  Map<String, Change> over(Map<String, Change> changes) {
    DownProjections read = DownProjections.read(file);
    if (!read.model().equals(subject.fingerprint())) {
      throw new BadInputException(
          "%s: is for another model: its 'model' is %s, this model's fingerprint is %s"
              .formatted(file, read.model(), subject.fingerprint()));
    }
    Map<String, NavigableMap<Integer, NarrowExpert>> found = new LinkedHashMap<>();
    for (Expert expert : read.experts()) {
      found
          .computeIfAbsent(expert.block(), block -> new TreeMap<>())
          .put(expert.expert(), narrow(expert));
    }
    Map<String, Change> refitted = new LinkedHashMap<>(changes);
    found.forEach(
        (block, narrow) -> {
          Change planned = changes.getOrDefault(block, Replacement.NONE);
          refitted.put(block, over(block, (Replacement) planned, narrow));
        });
    changes.forEach(
        (block, change) -> {
          boolean isRefitted =
              change instanceof Replacement replacement
                  && replacement.narrow().values().stream().anyMatch(NarrowExpert::isRefitted);
          if (isRefitted && !found.containsKey(block)) {
            throw misfit(block, "expected its experts %s, found none".formatted(change.narrowed()));
          }
        });
    return refitted;
  }

  private Change over(
      String block, Replacement planned, NavigableMap<Integer, NarrowExpert> narrow) {
    int inner = subject.block(block).inner();
    int experts = subject.block(block).experts();
    planned
        .narrow()
        .forEach(
            (id, expert) -> {
              if (!narrow.containsKey(id) || !narrow.get(id).neurons().equals(expert.neurons())) {
                throw misfit(
                    block,
                    "expected %d neurons of the plan's expert %d, found %s"
                        .formatted(expert.width(), id, narrow.containsKey(id) ? "others" : "none"));
              }
            });
    narrow.forEach(
        (id, expert) -> {
          boolean isPlanned = planned.narrow().containsKey(id);
          boolean isThere = id < experts && !planned.novices().containsKey(id);
          if (!isThere || (!isPlanned && expert.width() != inner)) {
            throw misfit(
                block,
                "the plan does not narrow expert %d, found %d neurons of it"
                    .formatted(id, expert.width()));
          }
        });
    return new Replacement(planned.novices(), narrow);
  }

  private BadInputException misfit(String block, String reason) {
    return new BadInputException(
        "%s: is not of this plan: block '%s': %s".formatted(file, block, reason));
  }

  private NarrowExpert narrow(Expert expert) {
    int[] kept = new int[expert.kept().size()];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = (int) Math.min(Integer.MAX_VALUE, expert.kept().count(i));
    }
    float[] down = new float[expert.down().size()];
    for (int at = 0; at < down.length; at++) {
      down[at] = (float) expert.down().get(at);
    }
    boolean isAscending = IntStream.range(1, kept.length).allMatch(i -> kept[i - 1] < kept[i]);
    if (!isAscending || kept[0] < 0) {
      throw new BadInputException(
          "%s: is damaged: block '%s': the neurons of expert %d are not ascending"
              .formatted(file, expert.block(), expert.expert()));
    }
    return new NarrowExpert(kept, down);
  }
}
