package io.moneonnx.cli;

import io.moneonnx.json.Fields;
import io.moneonnx.pipeline.CheckGolden;
import io.moneonnx.verify.golden.GoldenReport;
import io.moneonnx.verify.golden.GoldenReport.Deviation;
import io.moneonnx.verify.golden.GoldenReport.Flip;
import io.moneonnx.verify.golden.GoldenReport.OutputCheck;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** Whether a model puts out what was recorded. */
record GoldenOutcome(Path model, Path golden, CheckGolden.Result result) implements CheckReport {
  @Override
  public String text() {
    return new GoldenText(result).toString();
  }

  /** What is not finite is null. */
  @Override
  public Fields json() {
    GoldenReport report = result.report();
    return new Fields()
        .with("holds", report.holds())
        .with("sameModel", result.sameModel())
        .with("recorded", result.golden().origin())
        .with("inputs", report.inputs())
        .with("outputs", report.outputs().stream().map(GoldenOutcome::json).toList())
        .with("routing", report.routing().name().toLowerCase(Locale.ROOT))
        .with("positions", report.positions())
        .with("leftOut", report.leftOut())
        .with("flips", report.flips().stream().map(GoldenOutcome::json).toList());
  }

  private static Fields json(OutputCheck output) {
    Fields fields =
        new Fields()
            .with("name", output.name())
            .with("rtol", output.relative())
            .with("rows", output.rows())
            .with("moved", output.moved())
            .with("errorOverAllowed", output.worst())
            .withAny("failure", output.failure().map(Deviation::text));
    return output.failure().orElse(null) instanceof Deviation.Moved first
        ? fields.with("first", json(first))
        : fields;
  }

  private static Fields json(Deviation.Moved first) {
    return new Fields()
        .with("run", first.place().run())
        .with("row", first.place().row())
        .with("place", first.place().text())
        .with("figure", first.figure().toString())
        .with("recorded", first.recorded())
        .with("found", first.found())
        .with("allowed", first.allowed());
  }

  private static Fields json(Flip flip) {
    return new Fields()
        .with("router", flip.router())
        .with("place", flip.place())
        .with("gap", flip.gap())
        .with("bound", flip.bound())
        .with("rounding", flip.isRounding());
  }

  @Override
  public JUnitFile junit() {
    return new JUnitFile("mone-onnx golden check", new GoldenText(result).cases());
  }

  @Override
  public Optional<String> failure() {
    return result.report().holds()
        ? Optional.empty()
        : Optional.of("%s: outputs differ from those that %s holds".formatted(model, golden));
  }
}
