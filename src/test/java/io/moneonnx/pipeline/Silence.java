package io.moneonnx.pipeline;

/** A console that nobody reads. */
public final class Silence implements Console {
  @Override
  public void say(String line) {}

  @Override
  public Progress begin(String what, long steps) {
    return new Progress() {
      @Override
      public void step() {}

      @Override
      public void close() {}
    };
  }
}
