package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Makes tokens of documents for a {@link WindowCutter}. */
final class WindowedText implements TextSink {
  private final TextTokenizer tokenizer;
  private final OptionalLong vocabulary;
  private final OptionalLong prefix;
  private final SlidingWindows windows;
  private final WindowCutter cutter;
  private final PoorTokens poor;
  private final ChatTemplate template;
  private Path source = Path.of("");
  private long documents;
  private long tooShort;

  /**
   * No text yet.
   *
   * @param vocabulary the model's, where it is known; ids are below
   * @param prefix the token to put before each document, so that its first is foreseen as well
   */
  WindowedText(
      TextTokenizer tokenizer,
      OptionalLong vocabulary,
      OptionalLong prefix,
      SlidingWindows windows,
      WindowCutter cutter) {
    this.tokenizer = tokenizer;
    this.vocabulary = vocabulary;
    this.prefix = prefix;
    this.windows = windows;
    this.cutter = cutter;
    this.poor = new PoorTokens(tokenizer.unknown());
    this.template = new ChatTemplate(tokenizer.file());
  }

  /**
   * Reads a file as far as windows are wanted.
   *
   * @param field the field of a JSON record, or the column of a table, that holds its text
   * @throws BadInputException if it cannot be read, is not for this model or holds no text
   */
  void read(Path file, Optional<String> field) {
    if (isFull()) {
      return;
    }
    source = file;
    long before = documents;
    new TextFile(file, field, template).readInto(this);
    if (documents == before) {
      throw new BadInputException(file + " holds no text");
    }
  }

  @Override
  public boolean isFull() {
    return cutter.isFull();
  }

  @Override
  public void add(String text) {
    for (TextToken token : tokenizer.tokens(text)) {
      tokenizer.requireKnown(token.id(), vocabulary, source.toString());
      if (cutter.held() == 0) {
        prefix.stream()
            .filter(id -> id != token.id()) // as templates of chats begin
            .forEach(id -> cutter.add(new TextToken(id, 0)));
      }
      if (!isFull()) {
        poor.add(token.id());
      }
      cutter.add(token);
    }
  }

  @Override
  public void endDocument() {
    int held = cutter.held();
    documents += held > 0 ? 1 : 0;
    tooShort += held == 1 ? 1 : 0;
    if (windows.isFixed() && held > 1 && held <= windows.length()) {
      throw new BadInputException(
          "%s: a text of %d tokens, expected more than %d: the model takes no fewer at a time"
              .formatted(source, held, windows.length()));
    }
    cutter.endDocument();
  }

  /** What makes the tokens poor data. */
  List<String> warnings(String name) {
    return poor.warnings(name);
  }

  /** Documents that have any token. */
  long documents() {
    return documents;
  }

  /** Documents of one token, in which nothing is foreseen. */
  long tooShort() {
    return tooShort;
  }
}
