package io.moneonnx.verify.golden;

/** The figures of a {@link RowSketch}, all of the size of one element. */
public enum Figure {
  RMS("rms"),
  FIRST("first projection"),
  SECOND("second projection"),
  LARGEST("largest element"),
  DRAWN("drawn element");

  private final String text;

  Figure(String text) {
    this.text = text;
  }

  @Override
  public String toString() {
    return text;
  }
}
