package io.moneonnx.graph;

/** One dimension of a declared shape: a size, a symbol, or neither. */
public record Dimension(long size, String symbol) {
  private static final long UNKNOWN = -1;

  public static Dimension of(long size) {
    return new Dimension(size, "");
  }

  public static Dimension of(String symbol) {
    return new Dimension(UNKNOWN, symbol);
  }

  public boolean isFixed() {
    return size >= 0;
  }

  @Override
  public String toString() {
    return isFixed() ? Long.toString(size) : symbol.isEmpty() ? "?" : symbol;
  }
}
