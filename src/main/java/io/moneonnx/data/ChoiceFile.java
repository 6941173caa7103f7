package io.moneonnx.data;

import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Nearest;
import io.moneonnx.graph.Reason;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;

/**
 * Reads multiple-choice items one after another: each line of a JSONL file is one.
 *
 * <pre>{@code
 * {"context": "...", "choices": ["...", "..."], "label": 0, "group": "arc_easy"}
 * }</pre>
 */
public final class ChoiceFile implements Iterator<ChoiceItem>, AutoCloseable {
  private final Path path;
  private final BufferedReader reader;
  private final int limit;
  private int line;
  private int items;
  private Optional<ChoiceItem> next = Optional.empty();

  private ChoiceFile(Path path, BufferedReader reader, int limit) {
    this.path = path;
    this.reader = reader;
    this.limit = limit;
  }

  /**
   * Opens a file.
   *
   * @param limit items that are enough
   * @throws BadInputException if it cannot be read or holds no item
   */
  public static ChoiceFile open(Path path, int limit) {
    if (Files.isDirectory(path)) {
      throw new BadInputException(path + ": is a folder, expected a JSONL file of items");
    } else if (!Files.exists(path)) {
      throw new BadInputException(path + ": " + Nearest.missing(path));
    }
    try {
      ChoiceFile file = new ChoiceFile(path, Files.newBufferedReader(path), limit);
      if (!file.hasNext()) {
        file.close();
        throw new BadInputException(path + ": holds no items");
      }
      return file;
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  /**
   * How many items there are; reads and checks them all.
   *
   * @throws BadInputException if one of them is wrong; it says which and why
   */
  public static long count(Path path, int limit) {
    try (ChoiceFile file = open(path, limit)) {
      file.forEachRemaining(item -> {});
      return file.items;
    }
  }

  /** Reads on; throws {@link BadInputException} where the next line is no item. */
  @Override
  public boolean hasNext() {
    if (next.isEmpty() && items < limit) {
      next = read();
    }
    return next.isPresent();
  }

  @Override
  public ChoiceItem next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    ChoiceItem item = next.orElseThrow();
    next = Optional.empty();
    items++;
    return item;
  }

  private Optional<ChoiceItem> read() {
    try {
      for (String text = reader.readLine(); text != null; text = reader.readLine()) {
        line++;
        if (!text.isBlank()) {
          return Optional.of(item(text));
        }
      }
      return Optional.empty();
    } catch (CharacterCodingException e) {
      throw new BadInputException("%s:%d: is no text in UTF-8".formatted(path, line + 1), e);
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  private ChoiceItem item(String text) {
    String place = path + ":" + line;
    try {
      return new ChoiceRecord(place, JsonParser.parseString(text)).item(group());
    } catch (JsonParseException e) {
      throw new BadInputException(place + ": no readable JSON: " + Reason.of(e), e);
    }
  }

  /** What items are part of that do not say: the name of their file. */
  private String group() {
    return path.getFileName().toString().replaceFirst("\\.jsonl$", "");
  }

  @Override
  public void close() {
    try {
      reader.close();
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  private static BadInputException unreadable(Path path, IOException e) {
    return new BadInputException(path + ": cannot be read: " + Reason.of(e), e);
  }
}
