package io.moneonnx.cli;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.pipeline.Prove;
import io.moneonnx.rewrite.Change;
import io.moneonnx.run.Device;
import io.moneonnx.verify.Verdict;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What a proof found, as text, JSON and checks for JUnit files. */
record ProofReport(Path pruned, Prove.Result result) implements CheckReport {
  /** A table of blocks for each device, and what the whole model does. */
  @Override
  public String text() {
    StringBuilder text = new StringBuilder();
    result.verdicts().forEach((device, verdict) -> text.append(text(device, verdict)));
    return text.toString();
  }

  private String text(Device device, Verdict verdict) {
    Table table = new Table("block", "experts", "done", "error", "bound", "");
    for (MoeBlock block : result.subject().blocks()) {
      Double error = verdict.blockErrors().get(block.name());
      if (error != null) {
        double bound = verdict.bounds().blocks().get(block.name());
        table.row(
            block.name(),
            block.experts(),
            done(block),
            "%.1e".formatted(error),
            "%.0e".formatted(bound),
            error <= bound ? "ok" : "WRONG");
      }
    }
    return "%s%s on %s: %s%n".formatted(table, pruned, device, summary(verdict));
  }

  private String done(MoeBlock block) {
    Change change = result.changes().get(block.name());
    return change == null ? "nothing" : "%d %s".formatted(change.experts().size(), change.done());
  }

  private static String summary(Verdict verdict) {
    return verdict.holds()
        ? "is what the plan and the profile say; %s, over %,d positions"
            .formatted(verdict.text(), verdict.positions())
        : "is not what the plan and the profile say";
  }

  /** Why the proof failed, a line for each reason. */
  @Override
  public Optional<String> failure() {
    return result.holds() ? Optional.empty() : Optional.of(reasons());
  }

  private String reasons() {
    return result.verdicts().entrySet().stream()
        .flatMap(
            run ->
                run.getValue().reasons().stream()
                    .map(reason -> "on %s: %s".formatted(run.getKey(), reason)))
        .collect(
            Collectors.joining(
                "\n  ", pruned + ": is not what the plan and the profile say\n  ", ""));
  }

  /**
   * For programs; errors are relative, those that are infinite null:
   *
   * <pre>{@code
   * {"pruned", "holds", "devices": [{"device", "holds", "reasons": [], "error", "bound",
   *   "positions", "leftOut", "flips": [{"block", "position", "gap"}],
   *   "blocks": [{"name", "experts", "done", "which": [], "error", "bound", "holds"}]}]}
   * }</pre>
   */
  @Override
  public void writeTo(JsonWriter json) throws IOException {
    json.beginObject();
    json.name("pruned").value(pruned.toString());
    json.name("holds").value(result.holds());
    json.name("devices").beginArray();
    for (Device device : result.verdicts().keySet()) {
      write(json, device, result.verdicts().get(device));
    }
    json.endArray().endObject();
  }

  private void write(JsonWriter json, Device device, Verdict verdict) throws IOException {
    json.beginObject();
    json.name("device").value(device.toString());
    json.name("holds").value(verdict.holds());
    json.name("reasons").beginArray();
    for (String reason : verdict.reasons()) {
      json.value(reason);
    }
    json.endArray();
    json.name("error").value(Finite.orNull(verdict.endToEnd()));
    json.name("bound").value(verdict.bounds().endToEnd());
    json.name("positions").value(verdict.positions());
    json.name("leftOut").value(verdict.leftOut());
    json.name("flips").beginArray();
    for (Verdict.Flip flip : verdict.flips()) {
      json.beginObject().name("block").value(flip.block());
      json.name("position").value(flip.position());
      json.name("gap").value(Finite.orNull(flip.gap()));
      json.endObject();
    }
    json.endArray().name("blocks").beginArray();
    for (MoeBlock block : result.subject().blocks()) {
      write(json, block, verdict);
    }
    json.endArray().endObject();
  }

  private void write(JsonWriter json, MoeBlock block, Verdict verdict) throws IOException {
    Change change = result.changes().get(block.name());
    Double error = verdict.blockErrors().get(block.name());
    double bound = verdict.bounds().blocks().get(block.name());
    json.beginObject();
    json.name("name").value(block.name());
    json.name("experts").value(block.experts());
    json.name("done").value(change == null ? "nothing" : change.done());
    json.name("which").jsonValue(change == null ? "[]" : change.experts().toString());
    json.name("error").value(error == null ? null : Finite.orNull(error));
    json.name("bound").value(bound);
    json.name("holds").value(error != null && error <= bound);
    json.endObject();
  }

  /** A case for each block and one for the whole model, on each device. */
  @Override
  public JUnitFile junit() {
    List<JUnitFile.Case> cases = new ArrayList<>();
    result
        .verdicts()
        .forEach(
            (device, verdict) -> {
              for (MoeBlock block : result.subject().blocks()) {
                cases.add(check(device + ": block '" + block.name() + "'", verdict, block));
              }
              cases.add(new JUnitFile.Case(device + ": whole model", failure(verdict.reasons())));
            });
    return new JUnitFile("mone-onnx verify --exact", cases);
  }

  private static JUnitFile.Case check(String name, Verdict verdict, MoeBlock block) {
    boolean isProved = verdict.blockErrors().containsKey(block.name());
    return isProved
        ? new JUnitFile.Case(
            name,
            failure(
                verdict.wrongBlocks().contains(block.name())
                    ? List.of(verdict.reason(block.name()))
                    : List.of()))
        : JUnitFile.Case.failed(name, "not compared");
  }

  private static Optional<String> failure(List<String> reasons) {
    return reasons.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", reasons));
  }
}
