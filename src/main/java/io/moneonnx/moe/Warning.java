package io.moneonnx.moe;

/**
 * What the user should know of a block that is taken all the same.
 *
 * @param where the block, by name
 * @param text what is known of it
 */
public record Warning(String where, String text) {
  @Override
  public String toString() {
    return "warning: " + where + ": " + text;
  }
}
