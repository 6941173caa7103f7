package io.moneonnx.pipeline;

/** What a step tells the user while it is at work. */
public interface Console {
  /** One line that the user should know. */
  void say(String line);

  /** Begins something that takes {@code steps} steps; the result is told of each. */
  Progress begin(String what, long steps);

  /** Something long under way. */
  interface Progress extends AutoCloseable {
    void step();

    @Override
    void close();
  }
}
