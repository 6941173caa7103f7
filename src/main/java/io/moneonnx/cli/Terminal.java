package io.moneonnx.cli;

import io.moneonnx.pipeline.Console;
import java.io.PrintStream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Messages and progress on standard error; a bar only where somebody watches. */
final class Terminal implements Console {
  /** The system property that the launcher sets where standard error is a terminal. */
  private static final String WATCHED = "mone-onnx.terminal";

  private final PrintStream err = System.err;

  @Override
  public void say(String line) {
    err.println(PlainText.message(line));
  }

  @Override
  public Progress begin(String what, long steps) {
    if (!Boolean.getBoolean(WATCHED)) {
      say(what);
      return new Silent();
    }
    ProgressBar bar =
        new ProgressBarBuilder()
            .setTaskName(what)
            .setInitialMax(steps)
            .setStyle(ProgressBarStyle.ASCII)
            .setConsumer(new ConsoleProgressBarConsumer(err))
            .build();
    return new Bar(bar);
  }

  private record Silent() implements Progress {
    @Override
    public void step() {}

    @Override
    public void close() {}
  }

  private record Bar(ProgressBar bar) implements Progress {
    @Override
    public void step() {
      bar.step();
    }

    @Override
    public void close() {
      bar.close();
    }
  }
}
