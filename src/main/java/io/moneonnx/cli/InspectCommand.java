package io.moneonnx.cli;

import io.moneonnx.json.Fields;
import io.moneonnx.json.JsonText;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Refusal;
import io.moneonnx.pipeline.LoadedModel;
import io.moneonnx.pipeline.SharedExperts;
import io.moneonnx.run.Device;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
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
    name = "inspect",
    mixinStandardHelpOptions = true,
    description = "Shows the Mixture-of-Experts blocks of a model, and what is refused and why.")
final class InspectCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "An ONNX file, or a folder with one in it.")
  private Path model;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Option(names = "--why", description = "Show how near each form came to what was refused.")
  private boolean why;

  @Mixin private TargetOption target;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    LoadedModel subject = LoadedModel.openAny(model, target.or(new Device.Auto()));
    subject.warn(new Terminal());
    SharedExperts shared = SharedExperts.of(subject);
    PrintWriter out = spec.commandLine().getOut();
    out.print(
        json ? JsonText.indented(json(subject, shared)) : text(subject) + text(subject, shared));
    out.flush();
    return subject.blocks().isEmpty() ? ExitCode.NOTHING_TO_DO : ExitCode.DONE;
  }

  private String text(LoadedModel subject) {
    Table table =
        new Table(
            "block", "form", "experts", "top-k", "hidden", "expert bytes", "precision", "router");
    for (MoeBlock block : subject.blocks()) {
      table.row(
          block.name(),
          block.form(),
          block.weightless().isEmpty()
              ? block.experts()
              : "%d of %d".formatted(block.owners().size(), block.experts()),
          block.topK(),
          block.hidden(),
          "%,d".formatted(block.expertBytes()),
          block.precision(),
          block.routing().kind());
    }
    StringBuilder text = new StringBuilder();
    text.append(
        subject.blocks().isEmpty() ? "no Mixture-of-Experts block was found\n" : table.toString());
    text.append(new PrunedBefore(subject));
    for (Refusal refusal : subject.findings().refusals()) {
      text.append("refused  ").append(refusal.where()).append(": ").append(refusal.reason());
      text.append('\n');
      if (why) {
        subject.findings().misses().stream()
            .filter(miss -> miss.where().equals(refusal.where()))
            .forEach(miss -> text.append("         ").append(miss.reason()).append('\n'));
      }
    }
    return text.toString();
  }

  private static String text(LoadedModel subject, SharedExperts shared) {
    StringBuilder text = new StringBuilder();
    for (SharedExperts.Twin twin : shared.twins()) {
      text.append(
          "twin     %s: %d blocks with the experts and routers of %s%n"
              .formatted(twin.text(), twin.blocks().size(), subject.name()));
    }
    shared
        .others()
        .forEach((other, reason) -> text.append("other    %s: %s%n".formatted(other, reason)));
    return text.toString();
  }

  private static Fields json(LoadedModel subject, SharedExperts shared) {
    return json(subject)
        .withAny(
            "twins",
            Optional.of(shared.twins().stream().map(InspectCommand::json).toList())
                .filter(twins -> !twins.isEmpty()));
  }

  private static Fields json(SharedExperts.Twin twin) {
    return new Fields().with("model", twin.text()).with("blocks", twin.blocks());
  }

  private static Fields json(LoadedModel subject) {
    return new PrunedBefore(subject)
        .addTo(
            new Fields()
                .with("blocks", subject.blocks().stream().map(InspectCommand::json).toList()))
        .with("refused", subject.findings().refusals())
        .with("warnings", subject.findings().warnings());
  }

  /** What the experts compute; widths differ where experts were narrowed. */
  private static Fields ffn(MoeBlock block) {
    List<Ffn> found = block.ffn();
    if (found.isEmpty()) {
      return new Fields().with("kind", "opaque");
    }
    Ffn first = found.get(0);
    List<Integer> widths = found.stream().map(Ffn::inner).toList();
    boolean isOne = widths.stream().distinct().count() == 1;
    return new Fields()
        .with("kind", first.kind().toString())
        .with("activation", first.activation())
        .with("inner", isOne ? first.inner() : widths);
  }

  private static Fields json(MoeBlock block) {
    return new Fields()
        .with("name", block.name())
        .with("form", block.form())
        .with("experts", block.experts())
        .withAny("weightless", Optional.of(block.weightless()).filter(ids -> !ids.isEmpty()))
        .with("topK", block.topK())
        .with("hidden", block.hidden())
        .with("expertBytes", block.expertBytes())
        .with("ffn", ffn(block))
        .with("precision", block.precision().toString())
        .with("router", block.routing().kind());
  }
}
