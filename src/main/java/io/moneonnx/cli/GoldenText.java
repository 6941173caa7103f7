package io.moneonnx.cli;

import io.moneonnx.pipeline.CheckGolden;
import io.moneonnx.verify.golden.GoldenReport;
import io.moneonnx.verify.golden.GoldenReport.Deviation;
import io.moneonnx.verify.golden.GoldenReport.Flip;
import io.moneonnx.verify.golden.GoldenReport.OutputCheck;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What a check of golden outputs found, as text: what failed first, in the order of positions. */
final class GoldenText {
  private final CheckGolden.Result result;
  private final GoldenReport report;

  GoldenText(CheckGolden.Result result) {
    this.result = result;
    this.report = result.report();
  }

  /** A test for the inputs, for each output, and for the routers where they were recorded. */
  List<JUnitFile.Case> cases() {
    List<JUnitFile.Case> cases = new ArrayList<>();
    cases.add(
        new JUnitFile.Case(
            "inputs",
            Optional.of(String.join("; ", report.inputs())).filter(text -> !text.isEmpty())));
    report
        .outputs()
        .forEach(
            output -> cases.add(new JUnitFile.Case("output " + output.name(), failure(output))));
    if (report.routing() == GoldenReport.Routing.COMPARED && report.inputs().isEmpty()) {
      cases.add(new JUnitFile.Case("routing", wideFlips().findFirst().map(GoldenText::text)));
    }
    return cases;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    if (!result.sameModel()) {
      text.append(
          "another model than was recorded (%s)%n".formatted(result.golden().origin().get("file")));
    }
    report.inputs().forEach(input -> text.append("FAILED   input ").append(input).append('\n'));
    wideFlips().limit(1).forEach(flip -> text.append("FAILED   ").append(text(flip)).append('\n'));
    failed().forEach(output -> text.append(line(output)));
    report.outputs().stream()
        .filter(output -> output.failure().isEmpty())
        .forEach(output -> text.append(line(output)));
    if (report.inputs().isEmpty()) {
      text.append(routing());
    }
    return text.toString();
  }

  private Stream<OutputCheck> failed() {
    return report.outputs().stream()
        .filter(output -> output.failure().isPresent())
        .sorted(Comparator.comparing(OutputCheck::failure, Comparator.comparing(f -> at(f.get()))));
  }

  /** The order of runs and rows; what has no place comes first. */
  private static long at(Deviation deviation) {
    return deviation instanceof Deviation.Moved moved
        ? ((long) moved.place().run() << 32) + moved.place().row()
        : -1;
  }

  private static Optional<String> failure(OutputCheck output) {
    return output
        .failure()
        .map(
            failure ->
                failure.text()
                    + (output.moved() == 0
                        ? ""
                        : "; %,d of %,d rows moved, by up to %.3g times what is allowed"
                            .formatted(output.moved(), output.rows(), output.worst())));
  }

  private static String line(OutputCheck output) {
    return failure(output)
        .map(failure -> "FAILED   '%s' %s%n".formatted(output.name(), failure))
        .orElseGet(
            () ->
                "ok       '%s' %,d rows, largest error %.2g of what is allowed (relative %.0e)%n"
                    .formatted(output.name(), output.rows(), output.worst(), output.relative()));
  }

  private Stream<Flip> wideFlips() {
    return report.flips().stream().filter(flip -> !flip.isRounding());
  }

  private static String text(Flip flip) {
    return "the router of '%s' chose other experts at %s: score gap %.1e, rounding turns over up to %.0e"
        .formatted(flip.router(), flip.place(), flip.gap(), flip.bound());
  }

  private String routing() {
    return switch (report.routing()) {
      case NONE -> "";
      case UNLIKE ->
          "note     the model's routers are not those recorded: choices are not compared\n";
      case COMPARED ->
          report.flips().isEmpty()
              ? "ok       the same experts at %,d positions%n".formatted(report.positions())
              : "note     %,d of %,d positions left out behind %d flipped choices with score gaps up to %.1e%n"
                  .formatted(
                      report.leftOut(),
                      report.positions(),
                      report.flips().size(),
                      report.flips().stream().mapToDouble(Flip::gap).max().orElse(0));
    };
  }
}
