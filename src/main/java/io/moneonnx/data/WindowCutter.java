package io.moneonnx.data;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Cuts one document after the other to windows; holds no more of a document than one window. */
final class WindowCutter {
  private final SlidingWindows windows;
  private final Consumer<TokenWindow> sink;
  private int room;
  private final List<TextToken> tokens = new ArrayList<>();
  private int begin; // of the next window
  private int foreseen; // so many of the tokens that are held are followed by one that counted

  /**
   * Of no document yet.
   *
   * @param limit windows that are enough
   */
  WindowCutter(SlidingWindows windows, int limit, Consumer<TokenWindow> sink) {
    this.windows = windows;
    this.room = limit;
    this.sink = sink;
  }

  boolean isFull() {
    return room == 0;
  }

  /** As much stays of what windows were cut from as the last one may reach back. */
  void add(TextToken token) {
    tokens.add(token);
    if (tokens.size() > begin + windows.length()) {
      tokens.subList(0, begin).clear();
      foreseen -= begin;
      cut(0);
      begin = windows.stride();
    }
  }

  /** Cuts what is left; a document that is shorter than a window is one by itself. */
  void endDocument() {
    if (tokens.size() - 1 > foreseen) {
      cut(Math.max(0, tokens.size() - 1 - windows.length()));
    }
    tokens.clear();
    begin = 0;
    foreseen = 0;
  }

  private void cut(int from) {
    if (!isFull()) {
      room--;
      sink.accept(new TokenWindow(tokens.subList(from, tokens.size()), foreseen - from));
      foreseen = tokens.size() - 1;
    }
  }

  /** Tokens at hand: all of a document from which no window was cut. */
  int held() {
    return tokens.size();
  }
}
