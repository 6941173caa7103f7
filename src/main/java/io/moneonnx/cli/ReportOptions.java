package io.moneonnx.cli;

import io.moneonnx.pipeline.CheckFailedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options of commands that check something, and how they tell what they found. */
final class ReportOptions {
  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Option(
      names = "--junit",
      paramLabel = "FILE",
      description = "Write the outcome of each check as JUnit XML; a file there is replaced.")
  private Path junit;

  /** The file that is going to be written; what is there may be replaced. */
  Optional<Path> junit() {
    return Optional.ofNullable(junit);
  }

  /**
   * Tells everything, wherever it was asked for.
   *
   * @throws CheckFailedException if the check failed
   */
  void tell(CheckReport report, PrintWriter out) throws IOException {
    if (junit != null) {
      report.junit().write(junit);
    }
    report.print(json, out);
    if (report.failure().isPresent()) {
      throw new CheckFailedException(report.failure().get());
    }
  }
}
