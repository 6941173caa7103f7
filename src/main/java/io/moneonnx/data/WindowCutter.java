package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** Cuts documents to windows as their text comes in; holds no more of them than it must. */
final class WindowCutter implements TextSink {
  private final TextTokenizer tokenizer;
  private final OptionalLong vocabulary;
  private final OptionalLong prefix;
  private final SlidingWindows windows;
  private final Consumer<TokenWindow> sink;
  private int room;
  private Path source = Path.of("");
  private final List<TextToken> tokens = new ArrayList<>();
  private int begin; // of the next window
  private int scored; // so many tokens are followed by one that a window has foreseen
  private long documents;
  private long tooShort;

  /**
   * Of no document yet.
   *
   * @param vocabulary the model's, where it is known; ids are below
   * @param prefix the token to put before each document, so that its first is foreseen as well
   * @param limit windows that are enough
   */
  WindowCutter(
      TextTokenizer tokenizer,
      OptionalLong vocabulary,
      OptionalLong prefix,
      SlidingWindows windows,
      OptionalInt limit,
      Consumer<TokenWindow> sink) {
    this.tokenizer = tokenizer;
    this.vocabulary = vocabulary;
    this.prefix = prefix;
    this.windows = windows;
    this.room = limit.orElse(Integer.MAX_VALUE);
    this.sink = sink;
  }

  /** Takes what follows for this file's. */
  void begin(Path file) {
    source = file;
  }

  @Override
  public boolean isFull() {
    return room == 0;
  }

  @Override
  public void add(String text) {
    for (TextToken token : tokenizer.tokens(text)) {
      tokenizer.requireKnown(token.id(), vocabulary, "" + source);
      if (tokens.isEmpty()) {
        prefix.ifPresent(id -> append(new TextToken(id, 0)));
      }
      append(token);
    }
  }

  /** Of what windows were cut from, as much stays as the last one reaches back. */
  private void append(TextToken token) {
    tokens.add(token);
    if (tokens.size() > begin + windows.length()) {
      tokens.subList(0, begin).clear();
      scored -= begin;
      emit(0);
      begin = windows.stride();
    }
  }

  private void emit(int from) {
    if (!isFull()) {
      room--;
      sink.accept(new TokenWindow(tokens.subList(from, tokens.size()), scored - from));
      scored = tokens.size() - 1;
    }
  }

  @Override
  public void endDocument() {
    documents += tokens.isEmpty() ? 0 : 1;
    tooShort += tokens.size() == 1 ? 1 : 0;
    if (tokens.size() - 1 > scored) {
      requireLength(tokens.size() - 1);
      emit(Math.max(0, tokens.size() - 1 - windows.length()));
    }
    tokens.clear();
    begin = 0;
    scored = 0;
  }

  private void requireLength(int length) {
    if (windows.isFixed() && length < windows.length() && !isFull()) {
      throw new BadInputException(
          "%s: a text of %d tokens, wanted more than %d: the model takes no fewer at a time"
              .formatted(source, tokens.size(), windows.length()));
    }
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
