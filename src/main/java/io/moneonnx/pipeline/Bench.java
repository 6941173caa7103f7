package io.moneonnx.pipeline;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.run.RuntimeFailureException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Times a model and what was made of it. Each round starts a process for either, so that load times
 * and peak memory are those of one model, and what slows the machine down for a while slows both.
 */
public final class Bench {
  private static final int BAD_INPUT = 2;
  private static final String NAME = "mone-onnx: ";

  private final Program program;
  private final Console console;

  public Bench(Program program, Console console) {
    this.program = program;
    this.console = console;
  }

  /** The command line of a program that prints the {@link BenchFigures} of one model. */
  @FunctionalInterface
  public interface Program {
    List<String> command(BenchRun.Request request);
  }

  /**
   * What is wanted.
   *
   * @param tokens of the prefill, at most
   * @param data what to run on instead of made-up tokens
   */
  public record Request(Path original, Path pruned, int rounds, int tokens, Optional<Path> data) {}

  /**
   * The medians of both models.
   *
   * @param tokens of the prefill; 0 where data were given
   */
  public record Result(int tokens, BenchFigures original, BenchFigures pruned) {
    /** For each figure that both have, the pruned model's over the original's. */
    public Map<BenchMeasure, Double> ratios() {
      Map<BenchMeasure, Double> ratios = new EnumMap<>(BenchMeasure.class);
      original
          .values()
          .forEach(
              (measure, before) -> {
                Double after = pruned.values().get(measure);
                if (after != null && before > 0) {
                  ratios.put(measure, after / before);
                }
              });
      return ratios;
    }
  }

  /**
   * Times both models.
   *
   * @throws BadInputException if one is no model, or has nothing to run on
   * @throws RuntimeFailureException if one does not run
   */
  public Result run(Request request) throws IOException {
    ReadModel original = ReadModel.open(request.original());
    ReadModel pruned = ReadModel.open(request.pruned());
    original.requireOriginalOf(request.pruned(), pruned.model());
    int tokens =
        request.data().isPresent()
            ? 0
            : Math.min(
                BenchRun.tokens(original, request.tokens()),
                BenchRun.tokens(pruned, request.tokens()));
    BenchRun.Request first = new BenchRun.Request(request.original(), tokens, request.data());
    BenchRun.Request second = new BenchRun.Request(request.pruned(), tokens, request.data());
    List<BenchFigures> before = new ArrayList<>();
    List<BenchFigures> after = new ArrayList<>();
    try (Console.Progress progress =
        console.begin(
            "timing either model %d times".formatted(request.rounds()), request.rounds())) {
      for (int round = 0; round < request.rounds(); round++) {
        if (round % 2 == 0) {
          before.add(measure(first));
          after.add(measure(second));
        } else {
          after.add(measure(second));
          before.add(measure(first));
        }
        progress.step();
      }
    }
    return new Result(tokens, medians(original, before), medians(pruned, after));
  }

  private static BenchFigures medians(ReadModel model, List<BenchFigures> rounds) {
    Map<BenchMeasure, Double> values = new EnumMap<>(BenchFigures.medians(rounds).values());
    values.put(BenchMeasure.FILE, (double) model.files().bytes());
    return new BenchFigures(values);
  }

  private BenchFigures measure(BenchRun.Request request) throws IOException {
    Process process = new ProcessBuilder(program.command(request)).start();
    try {
      process.getOutputStream().close();
      // A line of figures, or a message and its stack trace: neither fills a pipe.
      String figures = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      String said = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
      int code = process.waitFor();
      if (code != 0) {
        throw failure(request.model(), code, said);
      }
      return BenchFigures.parse(figures);
    } catch (InterruptedException e) {
      throw new InterruptedIOException("timing was interrupted");
    } finally {
      process.destroy();
    }
  }

  private static RuntimeException failure(Path model, int code, String said) {
    String message = said.lines().filter(line -> line.startsWith(NAME)).findFirst().orElse("");
    if (!message.isEmpty()) {
      String reason = message.substring(NAME.length());
      return code == BAD_INPUT
          ? new BadInputException(reason)
          : new RuntimeFailureException(reason);
    }
    String found = said.isBlank() ? "" : ": " + said.strip().lines().findFirst().get();
    return new RuntimeFailureException(
        "%s: the process that timed it ended with code %d%s".formatted(model, code, found));
  }
}
