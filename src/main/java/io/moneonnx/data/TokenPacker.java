package io.moneonnx.data;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalLong;

/**
 * Joins the tokens of documents to one sequence, the end-of-text token between them where none is,
 * as at the end of many a chat.
 */
final class TokenPacker implements TextSink {
  private final TextTokenizer tokenizer;
  private final OptionalLong vocabulary;
  private final int limit;
  private int[] tokens = new int[1 << 16];
  private int size;
  private boolean documentEnded;
  private Path source = Path.of("");

  /**
   * An empty sequence.
   *
   * @param vocabulary the model's, where it is known; ids are below
   * @param limit tokens that are enough
   */
  TokenPacker(TextTokenizer tokenizer, OptionalLong vocabulary, int limit) {
    this.tokenizer = tokenizer;
    this.vocabulary = vocabulary;
    this.limit = limit;
  }

  @Override
  public boolean isFull() {
    return size >= limit;
  }

  /** Takes what follows for this file's. */
  void begin(Path file) {
    source = file;
  }

  @Override
  public void add(String text) {
    long[] ids = tokenizer.encode(text);
    if (ids.length > 0 && documentEnded) {
      long last = tokens[size - 1];
      tokenizer.endOfText().stream()
          .filter(end -> end != last && end != ids[0])
          .forEach(this::append);
      documentEnded = false;
    }
    for (long id : ids) {
      append(id);
    }
  }

  @Override
  public void endDocument() {
    documentEnded = size > 0;
  }

  private void append(long id) {
    tokenizer.requireKnown(id, vocabulary, source.toString());
    if (!isFull()) {
      if (size == tokens.length) {
        tokens = Arrays.copyOf(tokens, (int) Math.min(limit, 2L * size));
      }
      tokens[size++] = Math.toIntExact(id);
    }
  }

  int size() {
    return size;
  }

  int[] tokens() {
    return Arrays.copyOf(tokens, size);
  }
}
