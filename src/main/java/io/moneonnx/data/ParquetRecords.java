package io.moneonnx.data;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;

/**
 * Reads the documents of a Parquet file: the texts or chats of one column, row by row; empty ones
 * are none. Only that column is read, one row group at a time, and no more at a time than {@code
 * most} bytes, whatever the file says.
 *
 * @param field the name of the column; there need be none where it is called as in JSON records, or
 *     is the only one
 * @param template what makes text of chats
 * @param most bytes of a footer, of a row group's column, or of a page that are read at a time
 */
record ParquetRecords(Path path, Optional<String> field, ChatTemplate template, long most) {
  private static final int MAGIC = 4;
  private static final String TOOLS = "tools";

  /** What the library is asked for; it is given whatever a file says, and may fail in any way. */
  private interface Step<T> {
    T take() throws IOException;
  }

  /** Reads an eighth of the heap at a time at most. */
  static ParquetRecords of(Path path, Optional<String> field, ChatTemplate template) {
    return new ParquetRecords(path, field, template, Runtime.getRuntime().maxMemory() / 8);
  }

  void readInto(TextSink sink) {
    requireEnds();
    ParquetPages pages = new ParquetPages(path, most);
    ParquetReadOptions options =
        ParquetReadOptions.builder(new PlainParquetConfiguration())
            .withCodecFactory(pages)
            .usePageChecksumVerification()
            .build();
    try (ParquetFileReader file =
        read(() -> ParquetFileReader.open(new LocalInputFile(path), options))) {
      MessageType all = file.getFileMetaData().getSchema();
      Type column = column(all);
      MessageType schema = ParquetValues.readable(path, all, column, TOOLS);
      file.setRequestedSchema(schema);
      JsonRecords records = new JsonRecords(path, column.getName(), template);
      long row = 0;
      for (int group = 0; group < file.getRowGroups().size() && !sink.isFull(); group++) {
        BlockMetaData described = file.getRowGroups().get(group);
        requireFits(described, schema, group);
        row = readGroup(file, group, schema, records, row, sink);
      }
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  /** Returns the number of the row after the group's last. */
  private long readGroup(
      ParquetFileReader file,
      int group,
      MessageType schema,
      JsonRecords records,
      long first,
      TextSink sink) {
    try (PageReadStore pages = read(() -> file.readRowGroup(group))) {
      RecordReader<Group> rows =
          read(
              () ->
                  new ColumnIOFactory()
                      .getColumnIO(schema)
                      .getRecordReader(pages, new GroupRecordConverter(schema)));
      long end = first + pages.getRowCount();
      for (long row = first; row < end && !sink.isFull(); row++) {
        String place = "%s: [%d]".formatted(path, row);
        Group values = read(rows::read);
        JsonObject record = read(() -> ParquetValues.record(values, place));
        JsonElement value = record.get(records.field());
        String text = value instanceof JsonNull ? "" : records.textOf(record, place);
        if (!text.isBlank()) {
          sink.add(text);
          sink.endDocument();
        }
      }
      return end;
    }
  }

  /** The column that holds the texts or chats. */
  private Type column(MessageType schema) {
    List<String> names = schema.getFields().stream().map(Type::getName).toList();
    String found =
        field
            .or(() -> names.stream().filter(TextFile.FIELD::equals).findFirst())
            .or(() -> JsonRecords.CHATS.stream().filter(names::contains).findFirst())
            .or(() -> names.stream().filter(name -> names.size() == 1).findFirst())
            .orElseThrow(
                () ->
                    new BadInputException(
                        "%s: found %d columns, expected --field to name the one that holds the text: %s"
                            .formatted(path, names.size(), String.join(", ", names))));
    if (!names.contains(found)) {
      throw new BadInputException(
          "%s: found no column '%s', expected one; its columns are %s"
              .formatted(path, found, String.join(", ", names)));
    }
    return schema.getType(found);
  }

  /** Whether the file begins and ends as Parquet does, and its footer lies in it. */
  private void requireEnds() {
    ByteBuffer ends = ByteBuffer.allocate(3 * MAGIC).order(ByteOrder.LITTLE_ENDIAN);
    long length;
    try (FileChannel file = FileChannel.open(path)) {
      length = file.size();
      file.read(ends.limit(MAGIC), 0);
      file.read(ends.limit(3 * MAGIC), Math.max(0, length - 2 * MAGIC));
    } catch (IOException e) {
      throw unreadable(e);
    }
    String begin = new String(ends.array(), 0, MAGIC, StandardCharsets.ISO_8859_1);
    String end = new String(ends.array(), 2 * MAGIC, MAGIC, StandardCharsets.ISO_8859_1);
    int footer = ends.getInt(MAGIC);
    if (begin.equals("PARE") || end.equals("PARE")) {
      throw encrypted("its footer");
    } else if (!begin.equals("PAR1")) {
      throw unreadable("it does not begin with PAR1");
    } else if (!end.equals("PAR1")) {
      throw unreadable("it does not end with PAR1, as one does that is cut short");
    } else if (footer <= 0 || footer > length - 3 * MAGIC || footer > most) {
      throw unreadable("it has %,d bytes and a footer of %,d".formatted(length, footer));
    }
  }

  /** Whether what is to be read of a row group lies in the file and in memory. */
  private void requireFits(BlockMetaData group, MessageType schema, int number) throws IOException {
    long length = new LocalInputFile(path).getLength();
    long bytes = 0;
    for (ColumnChunkMetaData chunk : group.getColumns()) {
      String column = chunk.getPath().toDotString();
      if (!schema.containsPath(chunk.getPath().toArray())) {
        continue;
      } else if (chunk.isEncrypted()) {
        throw encrypted("column '" + column + "'");
      }
      ParquetPages.requireKnown(path, column, chunk.getCodec());
      long size = chunk.getTotalSize();
      if (size < 0 || chunk.getStartingPos() < MAGIC || size > length - chunk.getStartingPos()) {
        throw unreadable(
            "row group %d: %,d bytes of column '%s' from byte %,d on are not in its %,d"
                .formatted(number, size, column, chunk.getStartingPos(), length));
      } else if (chunk.getValueCount() < group.getRowCount()) {
        throw unreadable(
            "row group %d: column '%s' has %,d values for %,d rows"
                .formatted(number, column, chunk.getValueCount(), group.getRowCount()));
      }
      bytes += size;
    }
    if (bytes > most) {
      throw new BadInputException(
          "%s: row group %d has %,d bytes to be read at a time, expected at most %,d, an eighth of the heap: write it with smaller row groups, or let Java have more (JAVA_TOOL_OPTIONS=-Xmx...)"
              .formatted(path, number, bytes, most));
    }
  }

  /**
   * The library's checks of what a file says are exceptions of many kinds, and lengths too long.
   */
  private <T> T read(Step<T> step) {
    try {
      return step.take();
    } catch (IOException | RuntimeException e) {
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        if (cause instanceof BadInputException refusal) {
          throw refusal;
        }
      }
      throw unreadable(e);
    } catch (OutOfMemoryError | StackOverflowError e) {
      throw new BadInputException(
          path + " is no readable Parquet file: a length in it is beyond all memory", e);
    }
  }

  private BadInputException encrypted(String what) {
    return new BadInputException(
        "%s: %s is encrypted, expected a Parquet file that is not".formatted(path, what));
  }

  private BadInputException unreadable(String why) {
    return new BadInputException(path + " is no readable Parquet file: " + why);
  }

  private BadInputException unreadable(Exception e) {
    String why = Reason.of(e).lines().findFirst().orElse("");
    return new BadInputException(path + " is no readable Parquet file: " + why, e);
  }
}
