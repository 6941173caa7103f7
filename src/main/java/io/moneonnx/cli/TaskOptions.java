package io.moneonnx.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options of zero-shot multiple choice. */
final class TaskOptions {
  @Option(
      names = "--tasks",
      paramLabel = "FILE",
      arity = "1..*",
      description =
          "Multiple-choice items, lines of JSON: {\"context\", \"choices\", \"label\","
              + " \"group\"}; scored as lm-evaluation-harness does.")
  private List<Path> files = List.of();

  @Option(
      names = "--samples",
      paramLabel = "FILE",
      description =
          "With --tasks: write for each item the log-likelihoods of its choices, and what was"
              + " chosen, as lines of JSON. A file that is there is replaced.")
  private Path samples;

  /** True where there are items to answer. */
  boolean areGiven() {
    return !files.isEmpty();
  }

  /** The options beside {@code --tasks} that were given. */
  List<String> details() {
    return samples == null ? List.of() : List.of("--samples");
  }

  /** The files of items. */
  List<Path> files() {
    return files;
  }

  Optional<Path> samples() {
    return Optional.ofNullable(samples);
  }
}
