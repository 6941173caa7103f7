package io.moneonnx.cli;

import io.moneonnx.data.DataSource;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.pipeline.Bench;
import io.moneonnx.pipeline.BenchRun;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description =
        "Times a model and what was made of it in ONNX Runtime, each in processes of its own, in"
            + " turns: size, load time, a prefill of many tokens, a decoding step of one token, peak"
            + " memory. Tokens are made up: they choose experts as no text does. Medians over"
            + " rounds.")
final class BenchCommand implements Callable<Integer> {
  /** Longer sequences are a slip of the finger. */
  private static final int MOST_TOKENS = 1 << 20;

  private static final int MOST_ROUNDS = 1000;
  private static final String NATIVE_PATH = "onnxruntime.native.path";

  /**
   * As the user set it: loading ONNX Runtime here would set it too, to a folder that may lack
   * parts.
   */
  private final String natives = System.getProperty(NATIVE_PATH);

  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "The original: an ONNX file, or a folder with one in it.")
  private Path model;

  @Parameters(index = "1", paramLabel = "PRUNED", description = "What was made of it, likewise.")
  private Path pruned;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "512",
      description = "Tokens of the prefill (default: ${DEFAULT-VALUE}).")
  private int tokens;

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "5",
      description = "Rounds (default: ${DEFAULT-VALUE}).")
  private int rounds;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description =
          "Run on the first sample of this file (- is standard input) instead, .npz arrays named like the inputs, say:"
              + " for models that are no language models, or on text that is no accident.")
  private Path data;

  @Option(names = "--json", description = "Print JSON: times in seconds, sizes in bytes.")
  private boolean json;

  @Mixin private DeviceSettings run;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    require("--tokens", tokens, MOST_TOKENS);
    require("--runs", rounds, MOST_ROUNDS);
    Terminal terminal = new Terminal();
    RunOptions options = run.options(terminal);
    String device = Session.expected(options.device()).toString();
    Bench.Request request =
        new Bench.Request(
            model, pruned, rounds, tokens, Optional.ofNullable(data).map(DataSource::kept));
    Bench.Result result =
        new Bench(once -> process(once, device, options.threads()), terminal).run(request);
    new BenchReport(request, result, device, options.threads())
        .print(json, spec.commandLine().getOut());
    return ExitCode.DONE;
  }

  private static void require(String option, int found, int most) {
    if (found < 1 || found > most) {
      throw new BadInputException("%s: found %d, expected 1 to %,d".formatted(option, found, most));
    }
  }

  /** This program again, to time one model. */
  private List<String> process(BenchRun.Request request, String device, int threads) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    if (natives != null) {
      command.add("-D" + NATIVE_PATH + "=" + natives);
    }
    command.addAll(List.of(Main.class.getName(), BenchOnceCommand.NAME));
    command.add(request.model().toString());
    command.addAll(List.of("--tokens", Integer.toString(request.tokens()), "--device", device));
    command.addAll(List.of("--threads", Integer.toString(threads)));
    request.data().ifPresent(data -> command.addAll(List.of("--data", data.toString())));
    return command;
  }
}
