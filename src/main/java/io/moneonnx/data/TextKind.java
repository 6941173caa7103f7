package io.moneonnx.data;

import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;

/** How documents are told apart in a text file, by its name. */
enum TextKind {
  /** A record on each line. */
  LINES(".*\\.(jsonl|ndjson)(\\.gz)?"),
  /** An array of records or texts, or a record on each line. */
  JSON(".*\\.json(\\.gz)?"),
  /** The values of a column. */
  COMMAS(".*\\.csv(\\.gz)?"),
  TABS(".*\\.tsv(\\.gz)?"),
  /** A record in each row. */
  PARQUET(".*\\.parquet"),
  /** One document. */
  PROSE(".*");

  private final String names;

  TextKind(String names) {
    this.names = names;
  }

  static TextKind of(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return Stream.of(values()).filter(kind -> name.matches(kind.names)).findFirst().orElseThrow();
  }
}
