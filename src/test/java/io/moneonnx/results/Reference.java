package io.moneonnx.results;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What PyTorch measured of the same cells of one model, from its {@code results.csv}.
 *
 * @param leftOut rows that this tool makes no cell of, counted by what is in their way
 */
record Reference(Row unpruned, Map<Cell, Row> cells, Map<String, Integer> leftOut) {
  /** Names there, and here. */
  private static final Map<String, String> CRITERIA =
      Map.ofEntries(
          Map.entry("freq", "frequency"),
          Map.entry("rs", "routing-score"),
          Map.entry("var", "variance"),
          Map.entry("reap", "reap"),
          Map.entry("man", "man"),
          Map.entry("msan", "msan"),
          Map.entry("mone_code", "mone"),
          Map.entry("mone_paper", "mone-count"),
          Map.entry("gvar", "residual"),
          Map.entry("gmsan", "weighted-ean2"),
          Map.entry("random", "random"));

  private static final Map<String, String> TREATMENTS =
      Map.of("m", "mean", "0", "zero", "z", Cell.CUT, "gm", "gate2");

  private static final Map<String, String> SCOPES =
      Map.of("", "layer", "global", "model-k", "globaln", "normalised-k");

  /** Nats per token on both test sets, and their increases over the unpruned model. */
  record Row(double lossA, double lossB, double increaseA, double increaseB) {
    double increase() {
      return (increaseA + increaseB) / 2;
    }
  }

  static Reference read(Path csv) throws IOException {
    List<Map<String, String>> rows = rows(csv);
    Row unpruned = null;
    Map<Cell, Row> cells = new LinkedHashMap<>();
    Map<String, Integer> leftOut = new TreeMap<>();
    for (Map<String, String> row : rows) {
      Row values =
          new Row(
              Double.parseDouble(row.get("nll_A")),
              Double.parseDouble(row.get("nll_B")),
              Double.parseDouble(row.get("dnll_A")),
              Double.parseDouble(row.get("dnll_B")));
      Optional<String> obstacle = obstacle(row);
      if (row.get("part").equals("base")) {
        unpruned = values;
      } else if (obstacle.isPresent()) {
        leftOut.merge(obstacle.get(), 1, Integer::sum);
      } else {
        cells.put(cell(row), values);
      }
    }
    return new Reference(unpruned, cells, leftOut);
  }

  private static List<Map<String, String>> rows(Path csv) throws IOException {
    List<String> lines = Files.readAllLines(csv);
    List<String> head = Arrays.asList(lines.get(0).split(","));
    List<Map<String, String>> rows = new ArrayList<>();
    for (String line : lines.subList(1, lines.size())) {
      List<String> values = Arrays.asList(line.split(",", -1));
      Map<String, String> row = new HashMap<>();
      for (int i = 0; i < head.size(); i++) {
        row.put(head.get(i), values.get(i));
      }
      rows.add(row);
    }
    return rows;
  }

  private static Optional<String> obstacle(Map<String, String> row) {
    String extra = row.get("extra");
    if (!CRITERIA.containsKey(row.get("score"))) {
      return Optional.of("criterion `" + row.get("score") + "`");
    } else if (!TREATMENTS.containsKey(row.get("treatment"))) {
      return Optional.of("novice `" + row.get("treatment") + "`, which is no constant");
    } else if (extra.startsWith("seed")) {
      return Optional.of("another random generator");
    }
    return SCOPES.containsKey(extra) ? Optional.empty() : Optional.of("`" + extra + "`");
  }

  private static Cell cell(Map<String, String> row) {
    return new Cell(
        row.get("calib"),
        row.get("size"),
        CRITERIA.get(row.get("score")),
        TREATMENTS.get(row.get("treatment")),
        SCOPES.get(row.get("extra")),
        row.get("ratio"),
        0);
  }
}
