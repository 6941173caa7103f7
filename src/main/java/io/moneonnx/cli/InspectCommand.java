package io.moneonnx.cli;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Refusal;
import io.moneonnx.moe.Warning;
import io.moneonnx.pipeline.Subject;
import io.moneonnx.run.Device;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
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
    Subject subject = Subject.open(model, target.or(new Device.Auto()));
    subject.warn(new Terminal());
    PrintWriter out = spec.commandLine().getOut();
    out.print(json ? json(subject) : text(subject));
    out.flush();
    return subject.blocks().isEmpty() ? ExitCode.NOTHING_TO_DO : ExitCode.DONE;
  }

  private String text(Subject subject) {
    Table table =
        new Table(
            "block", "form", "experts", "top-k", "hidden", "expert bytes", "precision", "router");
    for (MoeBlock block : subject.blocks()) {
      table.row(
          block.name(),
          block.form(),
          block.experts(),
          block.topK(),
          block.hidden(),
          "%,d".formatted(block.expertBytes()),
          block.precision(),
          block.routing().kind());
    }
    StringBuilder text = new StringBuilder();
    text.append(
        subject.blocks().isEmpty() ? "no Mixture-of-Experts block was found\n" : table.toString());
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

  private static String json(Subject subject) throws IOException {
    StringWriter text = new StringWriter();
    JsonWriter json = new JsonWriter(text);
    json.setIndent("  ");
    json.beginObject().name("blocks").beginArray();
    for (MoeBlock block : subject.blocks()) {
      json.beginObject();
      json.name("name").value(block.name());
      json.name("form").value(block.form());
      json.name("experts").value(block.experts());
      json.name("topK").value(block.topK());
      json.name("hidden").value(block.hidden());
      json.name("expertBytes").value(block.expertBytes());
      json.name("precision").value(block.precision().toString());
      json.name("router").value(block.routing().kind());
      json.endObject();
    }
    json.endArray().name("refused").beginArray();
    for (Refusal refusal : subject.findings().refusals()) {
      json.beginObject();
      json.name("where").value(refusal.where());
      json.name("reason").value(refusal.reason());
      json.endObject();
    }
    json.endArray().name("warnings").beginArray();
    for (Warning warning : subject.findings().warnings()) {
      json.beginObject();
      json.name("where").value(warning.where());
      json.name("text").value(warning.text());
      json.endObject();
    }
    json.endArray().endObject();
    return text.append('\n').toString();
  }
}
