package io.moneonnx.cli;

import io.moneonnx.data.Calibration;
import io.moneonnx.pipeline.Calibrate;
import io.moneonnx.pipeline.DataRequest;
import io.moneonnx.pipeline.LoadedModel;
import io.moneonnx.pipeline.Output;
import io.moneonnx.pipeline.PartialProfile;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.ProfileFile;
import io.moneonnx.run.RunOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "calibrate",
    mixinStandardHelpOptions = true,
    description =
        "Runs a model over calibration data and writes a profile: how its blocks use "
            + "their experts, and the experts' outputs.")
final class CalibrateCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "An ONNX file, or a folder with one in it.")
  private Path model;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "PROFILE",
      required = true,
      description = "The profile to write.")
  private Path output;

  @Option(names = "--force", description = "Replace a file that is there already.")
  private boolean force;

  @Option(
      names = "--checkpoint",
      paramLabel = "TIME",
      defaultValue = "60s",
      description =
          "How often to put down in PROFILE.partial what is measured so far: 500ms, 60s, 5m, 1h, or"
              + " off (default: 60s).")
  private String checkpoint;

  @Option(names = "--resume", description = "Go on from PROFILE.partial, if it is there.")
  private boolean resume;

  @Option(
      names = "--moments",
      description =
          "Measure the second moments of the experts' inner neurons too, which narrowing experts"
              + " needs. A profile grows by 4 I^2 bytes for an expert of I neurons; where memory"
              + " does not hold all blocks, there are several passes over the data.")
  private boolean moments;

  @Mixin private DataOptions data;
  @Mixin private RunSettings run;
  @Mixin private TargetOption target;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Terminal terminal = new Terminal();
    DataRequest request = moments ? data.request().withMoments() : data.request();
    boolean mayBeDone = resume && !force && Files.exists(output);
    Output.check(output, force || mayBeDone, request.named(), terminal);
    PartialProfile partial =
        new PartialProfile(output, Interval.parse("--checkpoint", checkpoint), resume, terminal);
    partial.spare(request.named());
    partial.open(force);
    RunOptions options = run.options(terminal);
    LoadedModel subject = LoadedModel.openAny(model, target.or(options.device()));
    List<Path> read = new ArrayList<>(request.read(subject));
    read.addAll(subject.files().all());
    Output.check(output, force || mayBeDone, read, terminal);
    partial.spare(read);
    subject.warn(terminal);
    Calibrate calibrate = new Calibrate(subject, options, terminal);
    Calibration opened = calibrate.open(request);
    Profile profile;
    if (mayBeDone) {
      profile = ProfileFile.read(output);
      calibrate.requireDone(profile, output, request, opened);
      terminal.say("nothing to resume: " + output + " is complete");
    } else {
      profile = calibrate.run(request, opened, partial);
      ProfileFile.write(profile, output);
    }
    partial.remove();
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%s: %d blocks, %,d tokens, on %s%n",
        output, profile.blocks().size(), profile.tokens(), profile.runs().get(0).device());
    out.flush();
    return ExitCode.DONE;
  }
}
