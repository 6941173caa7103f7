package io.moneonnx.results;

import static java.util.stream.Collectors.joining;

import io.moneonnx.eval.Estimate;
import io.moneonnx.eval.Losses;
import io.moneonnx.eval.Scores;
import io.moneonnx.plan.criterion.Criteria;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The tables of {@code docs/results.md}.
 *
 * @param seconds that everything took
 */
record ResultsPage(List<Grid> grids, double seconds) {
  private static final List<String> TREATMENTS = List.of("mean", "gate2", "zero", Cell.CUT);
  private static final List<String> SEVERAL =
      List.of(
          "frequency",
          "routing-score",
          "variance",
          "mone",
          "mone-count",
          "man",
          "msan",
          "reap",
          "residual",
          "weighted-ean2");
  private static final double NOTABLE = 0.01;

  /** Written by hand of the two models that the tables were first made of. */
  private static final String WORDS =
      """
      No criterion wins everywhere. On the domain that was calibrated on, `residual` and `weighted-ean2` are never far from the best. With
      both domains in the calibration, `mone` is behind `residual` by 0.036 nats on olmoe at ratio 0.25 and by 0.009 on qwen3, level on qwen3 at 0.5,
      and ahead by 0.05 on olmoe at 0.5. Where the model is used on another domain than it was calibrated on, everything costs several
      times as much, and criteria that know nothing of how often an expert is chosen (`man`, `msan`, `reap`) lose least:
      on qwen3 a quarter to a half of what `mone` loses. Scope *model* makes the loss six to ten times smaller on qwen3 at 0.25 and
      nearly three times at 0.5, for every criterion but frequency and coefficients alone; on olmoe it is no gain for the better ones.
      Mean novices beat zero novices for every criterion. `gate2` is a little better than the mean on olmoe, at 0.5 for the better
      criteria only, and no different on qwen3. The cut router is worse than mean novices on olmoe, and on qwen3 at 0.25 a little better.

      """;

  /** How cells of a table are made: none where nothing was measured. */
  private interface Column extends Function<String, Optional<Scores>> {}

  String text() {
    StringBuilder text = new StringBuilder(intro());
    text.append("\n## Unpruned\n\n").append(unpruned());
    text.append("\n## Which wins where\n\n").append(winners());
    for (Grid grid : grids) {
      for (String ratio : Grid.RATIOS) {
        text.append(tables(grid, ratio));
      }
    }
    return text.append("\n## Beside PyTorch\n\n").append(agreement()).toString();
  }

  private String intro() {
    return """
        # What pruning costs

        Written by

        ```
        mvn -q test-compile exec:java -Dexec.mainClass=io.moneonnx.results.Results \\
            -Dexec.classpathScope=test -Dtrained=PATH
        ```

        which calibrates every model in `PATH`, plans %,d ways of pruning them, and tries each on held-out text in one
        model that is opened once. It took %.0f seconds on %d cores. All numbers are in [`results.tsv`](results.tsv).

        Losses are nats per token: the mean over 24 windows of the mean over 255 positions, of two domains, prose (A) and
        technical English (B), each of which counts alike. *Increase* is over the unpruned model; ± is the standard error of
        that difference, paired window by window. It knows of the windows, not of other models: there is one training run of
        each. Calibration takes 8k, 32k or 128k tokens of A, of B, or half of each (AB). Ratios are parts of each layer's
        experts, or of the model's with scope *model*, ranked by raw scores. With *model-k* each block keeps at least as many experts
        as a token chooses there, which is what the reference does; *normalised-k* divides scores by the energy of the
        block's output. *random* is the mean of three seeds, others than PyTorch's.
        """
        .formatted(
            grids.stream().mapToInt(grid -> grid.measurements().size()).sum(),
            seconds,
            Runtime.getRuntime().availableProcessors());
  }

  private String unpruned() {
    List<List<String>> rows = new ArrayList<>();
    for (Grid grid : grids) {
      Losses a = grid.unpruned().tests().get("A");
      Losses b = grid.unpruned().tests().get("B");
      Reference.Row reference = grid.reference().unpruned();
      rows.add(
          List.of(
              grid.model(),
              "%.4f".formatted(a.mean()),
              "%.4f".formatted(reference.lossA()),
              percent(a.accuracy()),
              "%.4f".formatted(b.mean()),
              "%.4f".formatted(reference.lossB()),
              percent(b.accuracy()),
              "%.0f s".formatted(grid.seconds())));
    }
    return table(
        List.of("model", "loss A", "PyTorch", "right A", "loss B", "PyTorch", "right B", "took"),
        rows);
  }

  private String winners() {
    List<List<String>> rows = new ArrayList<>();
    for (Grid grid : grids) {
      for (String ratio : Grid.RATIOS) {
        rows.add(winner(grid, ratio, "AB, layer", name -> both(grid, name, "layer", ratio)));
        rows.add(winner(grid, ratio, "AB, model", name -> both(grid, name, "model", ratio)));
        rows.add(anything(grid, ratio));
        rows.add(winner(grid, ratio, "same domain", name -> domain(grid, name, ratio, true)));
        rows.add(winner(grid, ratio, "other domain", name -> domain(grid, name, ratio, false)));
      }
    }
    return WORDS
        + "With mean novices. *Level* are those that lose more by less than two standard errors of the"
        + " difference.\n\n"
        + table(
            List.of("model", "ratio", "calibrated on", "least", "increase", "level", "mone behind"),
            rows);
  }

  /** Every criterion, novice, router and scope on AB. */
  private static List<String> anything(Grid grid, String ratio) {
    Map<String, Scores> all = new LinkedHashMap<>();
    for (Measurement measured : grid.measurements()) {
      Cell cell = measured.cell();
      if (cell.source().equals("AB") && cell.size().equals("128k") && cell.ratio().equals(ratio)) {
        String name = String.join(" ", cell.criterion(), cell.treatment(), cell.scope());
        all.put(name, measured.scores());
      }
    }
    List<Standing.Entry> entries = new ArrayList<>();
    all.forEach((name, scores) -> entries.add(new Standing.Entry(name, scores)));
    Standing standing = Standing.of(entries);
    return List.of(
        grid.model(),
        ratio,
        "AB, anything",
        standing.first().name(),
        estimate(standing.first().scores().above(grid.unpruned())),
        "%d of %d".formatted(standing.level().size(), entries.size() - 1),
        estimate(all.get("mone mean layer").above(standing.first().scores())));
  }

  private static List<String> winner(Grid grid, String ratio, String what, Column column) {
    List<Standing.Entry> entries = new ArrayList<>();
    for (String name : Criteria.names()) {
      column.apply(name).ifPresent(scores -> entries.add(new Standing.Entry(name, scores)));
    }
    Standing standing = Standing.of(entries);
    return List.of(
        grid.model(),
        ratio,
        what,
        standing.first().name(),
        estimate(standing.first().scores().above(grid.unpruned())),
        standing.level().stream().map(Standing.Entry::name).collect(joining(", ")),
        estimate(column.apply("mone").orElseThrow().above(standing.first().scores())));
  }

  private static Optional<Scores> both(Grid grid, String name, String scope, String ratio) {
    return grid.find(new Cell("AB", "128k", name, "mean", scope, ratio, 0))
        .map(Measurement::scores);
  }

  /** Tested on what was calibrated on, or on the other domain. */
  private static Optional<Scores> domain(Grid grid, String name, String ratio, boolean same) {
    Optional<Scores> a = calibrated(grid, "A", name, ratio);
    Optional<Scores> b = calibrated(grid, "B", name, ratio);
    return a.flatMap(
        onA ->
            b.map(
                onB ->
                    new Scores(
                        Map.of(
                            "A", (same ? onA : onB).tests().get("A"),
                            "B", (same ? onB : onA).tests().get("B")))));
  }

  private static Optional<Scores> calibrated(Grid grid, String source, String name, String ratio) {
    return grid.find(new Cell(source, "128k", name, "mean", "layer", ratio, 0))
        .map(Measurement::scores);
  }

  private String tables(Grid grid, String ratio) {
    String title = "\n## %s, ratio %s\n\n".formatted(grid.model(), ratio);
    return title
        + "Increase in nats, and next-token accuracy; calibrated on AB, 128k tokens.\n\n"
        + treatments(grid, ratio)
        + "\nBy domain and by how much was calibrated on; mean novices, scope layer.\n\n"
        + calibrations(grid, ratio);
  }

  private String treatments(Grid grid, String ratio) {
    List<String> head = new ArrayList<>(List.of("criterion"));
    TREATMENTS.forEach(treatment -> head.add(name(treatment)));
    head.addAll(List.of("model, mean", "model, gate2", "model-k, mean", "normalised-k, mean"));
    List<List<String>> rows = new ArrayList<>();
    for (String name : Criteria.names()) {
      List<String> row = new ArrayList<>(List.of(name));
      for (String treatment : TREATMENTS) {
        row.add(cell(grid, name, treatment, "layer", ratio));
      }
      row.add(cell(grid, name, "mean", "model", ratio));
      row.add(cell(grid, name, "gate2", "model", ratio));
      row.add(cell(grid, name, "mean", "model-k", ratio));
      row.add(cell(grid, name, "mean", "normalised-k", ratio));
      rows.add(row);
    }
    return table(head, rows);
  }

  private static String name(String treatment) {
    return treatment.equals(Cell.CUT) ? "cut router" : treatment;
  }

  private static String cell(Grid grid, String name, String treatment, String scope, String ratio) {
    List<Measurement> found =
        grid.measurements().stream()
            .filter(
                measured ->
                    new Cell("AB", "128k", name, treatment, scope, ratio, measured.cell().seed())
                        .equals(measured.cell()))
            .toList();
    if (found.isEmpty()) {
      return "";
    }
    double increase = found.stream().mapToDouble(m -> m.increase().mean()).average().orElseThrow();
    double error =
        found.stream().mapToDouble(m -> m.increase().standardError()).max().orElseThrow();
    double right = found.stream().mapToDouble(m -> m.scores().accuracy()).average().orElseThrow();
    return "%+.4f ± %.4f, %s".formatted(increase, error, percent(right));
  }

  private String calibrations(Grid grid, String ratio) {
    List<String> head = new ArrayList<>(List.of("criterion", "same domain", "other domain"));
    List<List<String>> rows = new ArrayList<>();
    List<String> sizes = List.of("8k", "32k", "128k");
    sizes.forEach(size -> head.add("AB " + size));
    for (String name : SEVERAL) {
      List<String> row = new ArrayList<>(List.of(name));
      row.add(increase(grid, domain(grid, name, ratio, true)));
      row.add(increase(grid, domain(grid, name, ratio, false)));
      for (String size : sizes) {
        row.add(
            increase(
                grid,
                grid.find(new Cell("AB", size, name, "mean", "layer", ratio, 0))
                    .map(Measurement::scores)));
      }
      rows.add(row);
    }
    return table(head, rows);
  }

  private static String increase(Grid grid, Optional<Scores> scores) {
    return scores.map(found -> estimate(found.above(grid.unpruned()))).orElse("");
  }

  private String agreement() {
    StringBuilder text = new StringBuilder();
    for (Grid grid : grids) {
      List<Measurement> compared =
          grid.measurements().stream().filter(m -> m.reference().isPresent()).toList();
      List<Double> off = compared.stream().map(Measurement::off).sorted().toList();
      List<Measurement> notable =
          compared.stream()
              .filter(measured -> measured.off() > NOTABLE)
              .sorted(Comparator.comparingDouble(Measurement::off).reversed())
              .toList();
      text.append(
          "%s: %d cells were measured in PyTorch too. Median difference on either test set %.1e nats, largest %.1e; %d differ by more than %s.\n"
              .formatted(
                  grid.model(),
                  compared.size(),
                  off.get(off.size() / 2),
                  off.get(off.size() - 1),
                  notable.size(),
                  NOTABLE));
      text.append(
          "Rows of `results.csv` that are no cell here: %s.\n\n"
              .formatted(
                  grid.reference().leftOut().entrySet().stream()
                      .map(entry -> "%d for %s".formatted(entry.getValue(), entry.getKey()))
                      .collect(joining(", "))));
      if (!notable.isEmpty()) {
        text.append(table(DIFFERENCES, notable.stream().map(ResultsPage::difference).toList()));
        text.append('\n');
      }
    }
    return text.toString();
  }

  private static final List<String> DIFFERENCES =
      List.of(
          "calibrated on",
          "criterion",
          "treatment",
          "scope",
          "ratio",
          "A",
          "PyTorch",
          "B",
          "PyTorch");

  private static List<String> difference(Measurement measured) {
    Cell cell = measured.cell();
    Reference.Row reference = measured.reference().orElseThrow();
    return List.of(
        cell.source() + " " + cell.size(),
        cell.criterion(),
        name(cell.treatment()),
        cell.scope(),
        cell.ratio(),
        "%+.4f".formatted(measured.increase("A").mean()),
        "%+.4f".formatted(reference.increaseA()),
        "%+.4f".formatted(measured.increase("B").mean()),
        "%+.4f".formatted(reference.increaseB()));
  }

  private static String estimate(Estimate estimate) {
    return "%+.4f ± %.4f".formatted(estimate.mean(), estimate.standardError());
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.1f%%", 100 * share);
  }

  private static String table(List<String> head, List<List<String>> rows) {
    StringBuilder text = new StringBuilder(row(head));
    text.append(row(head.stream().map(name -> "---").toList()));
    rows.forEach(row -> text.append(row(row)));
    return text.toString();
  }

  private static String row(List<String> cells) {
    return "| " + String.join(" | ", cells) + " |\n";
  }
}
