package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PushbackReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Reads the documents of a text file in UTF-8, or of a Parquet file: each record of JSON and each
 * row of a table is one, any other file is one as a whole.
 *
 * @param field the field or column that holds the text
 * @param template what makes text of chats
 */
record TextFile(Path path, Optional<String> field, ChatTemplate template) {
  /** The field of a JSON record that holds its text, where none is named. */
  static final String FIELD = "text";

  /**
   * Longer documents are tokenised in pieces of this many characters, for the tokenizer takes some
   * hundred bytes a character. They are cut before a line that starts with no space, where lines
   * are long between two words, and where words are anywhere; the few tokens there may differ from
   * those of the uncut text.
   */
  private static final int PIECE = 1 << 20;

  private static final int LONG_LINE = PIECE + (PIECE >> 1);
  private static final int LONGEST = 2 * PIECE;

  private static final int BUFFER = 1 << 16;
  private static final char BYTE_ORDER_MARK = '\uFEFF';

  /** Hands documents to {@code sink} until it is full. */
  void readInto(TextSink sink) {
    if (TextKind.of(path) == TextKind.PARQUET) {
      ParquetRecords.of(path, field, template).readInto(sink);
    } else {
      readCharacters(sink);
    }
  }

  private void readCharacters(TextSink sink) {
    try (InputStream bytes = Files.newInputStream(path);
        BufferedReader reader = new BufferedReader(characters(bytes))) {
      skipByteOrderMark(reader);
      switch (TextKind.of(path)) {
        case LINES -> records().readLines(reader, sink);
        case JSON -> records().readArray(reader, sink);
        case COMMAS -> new TableColumn(path, field).readInto(reader, ',', sink);
        case TABS -> new TableColumn(path, field).readInto(reader, '\t', sink);
        default -> readWhole(reader, sink);
      }
    } catch (EOFException e) {
      throw new BadInputException(path + " is no readable .gz file: it ends too early", e);
    } catch (ZipException e) {
      throw new BadInputException(path + " is no readable .gz file: " + Reason.of(e), e);
    } catch (CharacterCodingException e) {
      throw new BadInputException(path + " is no text in UTF-8", e);
    } catch (IOException e) {
      throw new BadInputException(path + " cannot be read: " + Reason.of(e), e);
    }
  }

  private JsonRecords records() {
    return new JsonRecords(path, field.orElse(FIELD), template);
  }

  /** Files called {@code .gz} are unpacked on the way. */
  private Reader characters(InputStream bytes) throws IOException {
    boolean isPacked = path.toString().toLowerCase(Locale.ROOT).endsWith(".gz");
    return new InputStreamReader(
        new NoZeros(isPacked ? new GZIPInputStream(bytes, BUFFER) : bytes),
        StandardCharsets.UTF_8.newDecoder());
  }

  /** Bytes as they come; text has none that is 0. */
  private final class NoZeros extends FilterInputStream {
    NoZeros(InputStream bytes) {
      super(bytes);
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int count = super.read(into, offset, length);
      for (int i = offset; i < offset + count; i++) {
        if (into[i] == 0) {
          throw new BadInputException(
              path
                  + " is no text in UTF-8: it has bytes that are 0, as binary files and UTF-16 have;"
                  + " UTF-16 becomes UTF-8 by iconv -f UTF-16 -t UTF-8");
        }
      }
      return count;
    }
  }

  private static void skipByteOrderMark(BufferedReader reader) throws IOException {
    reader.mark(1);
    if (reader.read() != BYTE_ORDER_MARK) {
      reader.reset();
    }
  }

  private static void readWhole(Reader reader, TextSink sink) throws IOException {
    PushbackReader ahead = new PushbackReader(reader);
    for (String piece = nextPiece(ahead);
        !piece.isEmpty() && !sink.isFull();
        piece = nextPiece(ahead)) {
      sink.add(piece);
    }
    sink.endDocument();
  }

  /** True between two characters where a piece of this length may end, or has to. */
  private static boolean isEnd(int length, int last, int next) {
    boolean isSpace = Character.isWhitespace(next);
    return length >= PIECE
        && ((last == '\n' && !isSpace)
            || (length >= LONG_LINE && isSpace && !Character.isWhitespace(last))
            || (length >= LONGEST && !Character.isLowSurrogate((char) next)));
  }

  private static String nextPiece(PushbackReader reader) throws IOException {
    StringBuilder piece = new StringBuilder();
    int last = 0;
    for (int next = reader.read(); next >= 0; next = reader.read()) {
      if (isEnd(piece.length(), last, next)) {
        reader.unread(next);
        break;
      }
      piece.append((char) next);
      last = next;
    }
    return piece.toString();
  }
}
