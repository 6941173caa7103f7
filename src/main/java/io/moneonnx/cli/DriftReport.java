package io.moneonnx.cli;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.pipeline.Verify;
import io.moneonnx.verify.Gate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** How far a pruned model has moved, and which bounds that breaks. */
record DriftReport(Path model, Path pruned, Verify.Report report) implements CheckReport {
  @Override
  public String text() {
    return new DriftText(report).toString();
  }

  @Override
  public void writeTo(JsonWriter json) throws IOException {
    new DriftJson(model, pruned, report).writeTo(json);
  }

  /** A case for each bound and each part of the data; one that says that it ran, without bounds. */
  @Override
  public JUnitFile junit() {
    List<JUnitFile.Case> cases =
        report.outcomes().stream()
            .map(
                outcome ->
                    new JUnitFile.Case(
                        outcome.where() + ": " + outcome.gate().measure(),
                        Optional.of(outcome.text()).filter(text -> !outcome.holds())))
            .toList();
    String ran = "ran on %,d sequences".formatted(report.sequences());
    return new JUnitFile(
        "mone-onnx verify", cases.isEmpty() ? List.of(JUnitFile.Case.passed(ran)) : cases);
  }

  @Override
  public Optional<String> failure() {
    return report.breaches().isEmpty()
        ? Optional.empty()
        : Optional.of(
            report.breaches().stream()
                .map(Gate.Outcome::text)
                .collect(
                    Collectors.joining("\n  ", pruned + ": is too far from the original\n  ", "")));
  }
}
