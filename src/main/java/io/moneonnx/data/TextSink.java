package io.moneonnx.data;

/** What takes the text of documents, one after the other, in pieces. */
interface TextSink {
  /** True where more text would change nothing. */
  boolean isFull();

  /** Takes what follows in the current document. */
  void add(String text);

  /** Begins another document. */
  void endDocument();
}
