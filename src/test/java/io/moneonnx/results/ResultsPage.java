package io.moneonnx.results;

import java.util.List;

/** The tables. */
record ResultsPage(List<Grid> grids, double seconds) {
  String text() {
    return "" + seconds;
  }
}
