package io.moneonnx.pipeline;

import io.moneonnx.data.Batch;
import io.moneonnx.data.Calibration;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.moe.Refusal;
import io.moneonnx.moe.Target;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import io.moneonnx.verify.Drift;
import io.moneonnx.verify.Gate;
import io.moneonnx.verify.Logits;
import io.moneonnx.verify.Predictions;
import io.moneonnx.verify.SideBySide;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Measures on held-out data how far a pruned model is from the original. */
public final class Verify {
  private final RunOptions options;
  private final Console console;

  public Verify(RunOptions options, Console console) {
    this.options = options;
    this.console = console;
  }

  /**
   * What to compare.
   *
   * @param model the original: a file, or a folder with a model in it
   * @param pruned what was made of it, likewise
   * @param target what the models are meant to run on
   * @param data held-out data; none for what lies beside the original
   * @param report a file that is going to be written; what is there may be replaced
   */
  public record Request(
      Path model,
      Path pruned,
      Target target,
      DataRequest data,
      List<Gate> gates,
      Optional<Path> report) {
    public Request {
      gates = List.copyOf(gates);
    }
  }

  /**
   * Drift on some of the data.
   *
   * @param where {@code total} for all of them, or a tag
   */
  public record Scope(String where, Drift drift) {}

  /**
   * What was found.
   *
   * @param total on all data
   * @param tags on those of each tag, in the order of the data
   * @param outcomes of all gates, on all data and on those of each tag
   * @param missing what cannot be told and why, a line each
   * @param isRouterCut whether calls to experts that are gone go elsewhere, instead of to novices
   * @param sequences that the models were fed, or samples
   * @param tokens in them, 0 where they hold none
   */
  public record Report(
      Drift total,
      List<Scope> tags,
      List<Gate.Outcome> outcomes,
      List<String> missing,
      boolean isRouterCut,
      long sequences,
      long tokens) {
    public Report {
      tags = List.copyOf(tags);
      outcomes = List.copyOf(outcomes);
      missing = List.copyOf(missing);
    }

    /** All data, then those of each tag. */
    public List<Scope> scopes() {
      return Verify.scopes(total, tags);
    }

    /** The gates that do not hold. */
    public List<Gate.Outcome> breaches() {
      return outcomes.stream().filter(outcome -> !outcome.holds()).toList();
    }
  }

  /**
   * Runs both on all data, one batch after the other.
   *
   * @throws BadInputException if the models do not take and give the same, if there is nothing to
   *     test on, or if a gate asks for what the models do not have
   */
  public Report run(Request request) throws IOException {
    LoadedModel before = LoadedModel.open(request.model(), request.target());
    ReadModel after = ReadModel.open(request.pruned());
    before.read().requireOriginalOf(request.pruned(), after.model());
    before.warn(console);
    Optional<Logits> logits = new LanguageModel(before.read()).comparedLogits();
    request.gates().forEach(gate -> requireAskable(gate, before, logits));
    Calibration data = request.data().openHeldOut("--data", before, console);
    if (request.report().isPresent()) {
      Output.check(request.report().get(), true, read(request, before, after, data), console);
    }
    try (SideBySide models =
        SideBySide.open(side(before.read()), side(after), logits, before.blocks(), options)) {
      Meters meters = measure(models, data, request);
      Drift total = meters.total().drift();
      List<Scope> tags = meters.ofTags();
      return new Report(
          total,
          tags,
          outcomes(request.gates(), scopes(total, tags)),
          missing(before, total, models.missing()),
          models.isRouterCut(),
          data.samples(),
          data.tokens());
    } catch (RuntimeFailureException e) {
      before.read().requireLoads(options);
      after.requireLoads(options);
      throw e;
    }
  }

  private static List<Path> read(
      Request request, LoadedModel before, ReadModel after, Calibration data) {
    List<Path> read = new ArrayList<>(request.data().named());
    read.addAll(before.files().all());
    read.addAll(after.files().all());
    data.files().forEach(file -> read.add(file.path()));
    data.tokenizer().ifPresent(file -> read.add(file.path()));
    return read;
  }

  private static SideBySide.Side side(ReadModel read) {
    return new SideBySide.Side(read.file(), read.model());
  }

  private static void requireAskable(Gate gate, LoadedModel subject, Optional<Logits> logits) {
    boolean needsTokens = gate.measure() == Gate.Measure.INCREASE;
    boolean isAskable =
        needsTokens ? logits.flatMap(Logits::tokens).isPresent() : logits.isPresent();
    if (gate.measure().needsLogits() && !isAskable) {
      throw new BadInputException(
          "%s: no language model, so there is no %s to hold against a bound"
              .formatted(subject.file(), gate.measure()));
    }
  }

  /** On all data, and by tag. */
  private record Meters(Drift.Meter total, Map<String, Drift.Meter> tags) {
    void add(Batch batch, Drift.Run run) {
      total.add(run);
      batch.tag().ifPresent(tag -> tags.computeIfAbsent(tag, t -> new Drift.Meter()).add(run));
    }

    List<Scope> ofTags() {
      return tags.entrySet().stream()
          .map(tag -> new Scope(tag.getKey(), tag.getValue().drift()))
          .toList();
    }
  }

  private Meters measure(SideBySide models, Calibration data, Request request) {
    Meters meters = new Meters(new Drift.Meter(), new LinkedHashMap<>());
    String what =
        "comparing %s with %s on %,d sequences"
            .formatted(request.pruned(), request.model(), data.samples());
    try (Console.Progress progress = console.begin(what, data.batches())) {
      for (Batch batch : data) {
        meters.add(batch, models.run(batch.feeds()));
        progress.step();
      }
    }
    return meters;
  }

  private static List<Scope> scopes(Drift total, List<Scope> tags) {
    return Stream.concat(Stream.of(new Scope("total", total)), tags.stream()).toList();
  }

  private static List<Gate.Outcome> outcomes(List<Gate> gates, List<Scope> scopes) {
    return gates.stream()
        .flatMap(gate -> scopes.stream().map(scope -> gate.check(scope.where(), scope.drift())))
        .toList();
  }

  private static List<String> missing(LoadedModel subject, Drift total, List<String> ofBlocks) {
    List<String> missing = new ArrayList<>();
    if (total.predictions().isEmpty()) {
      missing.add("no next token is scored: there are errors of outputs only");
    } else if (total.predictions().flatMap(Predictions::perplexities).isEmpty()) {
      missing.add("no token is known that follows another: there is no perplexity");
    }
    List<Refusal> refused = subject.findings().refusals();
    if (!refused.isEmpty()) {
      missing.add(
          "%d blocks were refused and are not compared, '%s' first: %s"
              .formatted(refused.size(), refused.get(0).where(), refused.get(0).reason()));
    } else if (subject.blocks().isEmpty()) {
      missing.add("no Mixture-of-Experts block was found in " + subject.file());
    }
    missing.addAll(ofBlocks);
    return missing;
  }
}
