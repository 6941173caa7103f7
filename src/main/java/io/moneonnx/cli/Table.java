package io.moneonnx.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Rows of text in columns; numbers to the right. */
final class Table {
  private final List<List<String>> rows = new ArrayList<>();

  Table(Object... head) {
    row(head);
  }

  void row(Object... cells) {
    rows.add(Arrays.stream(cells).map(String::valueOf).toList());
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int column = 0; column < row.size(); column++) {
        String format = (isNumeric(column) ? "%" : "%-") + width(column) + "s  ";
        line.append(format.formatted(row.get(column)));
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }

  private int width(int column) {
    return rows.stream().mapToInt(row -> Math.max(1, row.get(column).length())).max().orElse(1);
  }

  private boolean isNumeric(int column) {
    return rows.stream()
        .skip(1)
        .allMatch(row -> row.get(column).matches("[\\d,.%+-]*(e[+-]\\d+)?|infinite"));
  }
}
