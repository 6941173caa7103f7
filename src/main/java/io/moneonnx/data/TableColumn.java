package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * Reads the documents of a table whose first row names its columns: the values of one column, row
 * by row; empty ones are none.
 *
 * @param field the name of the column; a table with one column needs none
 */
record TableColumn(Path path, Optional<String> field) {
  void readInto(Reader reader, char delimiter, TextSink sink) throws IOException {
    CSVFormat format = CSVFormat.DEFAULT.builder().setDelimiter(delimiter).get();
    long row = 0;
    try (CSVParser parser = CSVParser.parse(reader, format)) {
      Iterator<CSVRecord> rows = parser.iterator();
      if (!rows.hasNext()) {
        return;
      }
      List<String> names = rows.next().toList();
      int column = column(names);
      for (row = 2; !sink.isFull() && rows.hasNext(); row++) {
        String text = value(rows.next(), names.size(), column, row);
        if (!text.isBlank()) {
          sink.add(text);
          sink.endDocument();
        }
      }
    } catch (CSVException e) {
      throw noTable(row, e);
    } catch (UncheckedIOException e) {
      if (e.getCause() instanceof CSVException cause) {
        throw noTable(row, cause);
      }
      throw e.getCause();
    }
  }

  private BadInputException noTable(long row, CSVException e) {
    return new BadInputException(
        "%s: row %d: is no row of a table: %s".formatted(path, Math.max(1, row), Reason.of(e)), e);
  }

  private int column(List<String> names) {
    boolean hasUsual = names.contains(TextFile.FIELD);
    if (field.isEmpty() && !hasUsual && names.size() > 1) {
      throw new BadInputException(
          "%s: found %d columns, expected --field to name the one that holds the text: %s"
              .formatted(path, names.size(), String.join(", ", names)));
    }
    String name = field.orElse(hasUsual ? TextFile.FIELD : names.get(0));
    int column = names.indexOf(name);
    if (column < 0 || column != names.lastIndexOf(name)) {
      throw new BadInputException(
          "%s: found %s column '%s', expected one; its columns are %s"
              .formatted(
                  path, column < 0 ? "no" : "more than one", name, String.join(", ", names)));
    }
    return column;
  }

  private String value(CSVRecord record, int columns, int column, long row) {
    if (record.size() != columns) {
      throw new BadInputException(
          "%s: row %d: found %d values, expected %d, as many as the first row has"
              .formatted(path, row, record.size(), columns));
    }
    return record.get(column);
  }
}
