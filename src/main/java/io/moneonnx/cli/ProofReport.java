package io.moneonnx.cli;

import io.moneonnx.json.Fields;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.pipeline.Prove;
import io.moneonnx.rewrite.Change;
import io.moneonnx.run.Device;
import io.moneonnx.verify.Verdict;
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
            block.owners().size(),
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
    return change == null ? "nothing" : change.summary();
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
   *   "blocks": [{"name", "experts", "done", "which": [], "narrowed": [], "error", "bound", "holds"}]}]}
   * }</pre>
   */
  @Override
  public Fields json() {
    List<Fields> devices = new ArrayList<>();
    result.verdicts().forEach((device, verdict) -> devices.add(json(device, verdict)));
    return new Fields()
        .with("pruned", pruned)
        .with("holds", result.holds())
        .with("devices", devices);
  }

  private Fields json(Device device, Verdict verdict) {
    return new Fields()
        .with("device", device.toString())
        .with("holds", verdict.holds())
        .with("reasons", verdict.reasons())
        .with("error", verdict.endToEnd())
        .with("bound", verdict.bounds().endToEnd())
        .with("positions", verdict.positions())
        .with("leftOut", verdict.leftOut())
        .with("flips", verdict.flips())
        .with("blocks", result.subject().blocks().stream().map(b -> json(b, verdict)).toList());
  }

  private Fields json(MoeBlock block, Verdict verdict) {
    Optional<Change> change = Optional.ofNullable(result.changes().get(block.name()));
    Optional<Double> error = Optional.ofNullable(verdict.blockErrors().get(block.name()));
    double bound = verdict.bounds().blocks().get(block.name());
    return new Fields()
        .with("name", block.name())
        .with("experts", block.experts())
        .with("done", change.map(Change::done).orElse("nothing"))
        .with("which", change.map(Change::experts).orElse(List.of()))
        .with("narrowed", change.map(Change::narrowed).orElse(List.of()))
        .with("error", error)
        .with("bound", bound)
        .with("holds", error.isPresent() && error.get() <= bound);
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
