package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.io.Draft;
import io.moneonnx.pipeline.Output;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.ProfileFile;
import io.moneonnx.profile.ProfileJson;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "export",
    mixinStandardHelpOptions = true,
    description = "Writes all of a profile in a format that other programs read.")
final class ExportCommand implements Callable<Integer> {
  /** What a profile can be exported as. */
  enum Format {
    JSON,
    SAFETENSORS;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Parameters(paramLabel = "PROFILE", description = "A profile that calibrate or merge wrote.")
  private Path profile;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description =
          "${COMPLETION-CANDIDATES} (default: what FILE ends with, json where that says nothing).")
  private Format wanted;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "The file to write; JSON goes to standard output without it.")
  private Path output;

  @Option(names = "--force", description = "Replace a file that is there already.")
  private boolean force;

  @Spec private CommandSpec spec;

  private Format format() {
    String name = "." + Format.SAFETENSORS;
    boolean isNamed = output != null && output.toString().endsWith(name);
    return wanted != null ? wanted : isNamed ? Format.SAFETENSORS : Format.JSON;
  }

  @Override
  public Integer call() throws IOException {
    Format format = format();
    PrintWriter out = spec.commandLine().getOut();
    if (output != null) {
      Output.check(output, force, List.of(profile), new Terminal());
      write(ProfileFile.read(profile));
      out.println(output);
    } else if (format == Format.JSON) {
      ProfileJson.write(ProfileFile.read(profile), out);
      out.println();
    } else {
      throw new BadInputException(
          "--format " + format + " is not for a terminal; name a file with -o");
    }
    out.flush();
    return ExitCode.DONE;
  }

  /** A profile is a safetensors file already; one that is damaged is not copied. */
  private void write(Profile measured) {
    Draft.write(
        output,
        path -> {
          switch (format()) {
            case SAFETENSORS -> Files.copy(profile, path);
            case JSON -> {
              try (BufferedWriter writer = Files.newBufferedWriter(path)) {
                ProfileJson.write(measured, writer);
              }
            }
          }
        });
  }
}
