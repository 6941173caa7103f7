package io.moneonnx.pipeline;

import io.moneonnx.data.Calibration;
import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataFile;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * What a calibration hangs on, by the names that messages use: two with the same facts measure the
 * same, batch by batch.
 */
final class RunFacts {
  private static final int DIGITS = 16;

  private RunFacts() {}

  static Map<String, String> of(
      LoadedModel subject,
      Calibration data,
      DataRequest request,
      List<List<MoeBlock>> passes,
      Device device,
      RunOptions settings) {
    CalibrationOptions options = request.options();
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("model", subject.fingerprint());
    facts.put("mone-onnx", Tool.version());
    facts.put("ONNX Runtime", Session.runtimeVersion());
    facts.put("--device", kind(device));
    facts.put("--threads", threads(settings));
    facts.put("--target", subject.target().toString());
    facts.put("--seq-len", text(options.sequenceLength()));
    facts.put("--blocks", text(options.blocks()));
    facts.put("--batch", text(options.batch()));
    facts.put("--field", options.field().orElse("not given"));
    facts.put("--moments", request.detail() == Detail.MOMENTS ? "given" : "not given");
    facts.put("blocks by pass", passes.stream().map(List::size).toList().toString());
    data.tokenizer().ifPresent(tokenizer -> facts.put("--tokenizer", text(tokenizer)));
    data.chatTemplate()
        .forEach(file -> facts.put("chat template " + file.path().getFileName(), text(file)));
    int number = 0;
    for (DataFile file : data.files()) {
      number++;
      facts.put("--data " + number, text(file));
    }
    facts.put("batches", Long.toString(data.batches()));
    facts.put("tokens", Long.toString(data.tokens()));
    return facts;
  }

  /** One GPU is as good as another. */
  private static String kind(Device device) {
    return device.toString().replaceFirst(":\\d+$", "");
  }

  /** How work is shared out decides how sums are rounded. */
  static String threads(RunOptions settings) {
    return settings.threads() == 0
        ? "0 of %d processors".formatted(Runtime.getRuntime().availableProcessors())
        : Integer.toString(settings.threads());
  }

  private static String text(OptionalInt number) {
    return number.isPresent() ? Integer.toString(number.getAsInt()) : "not given";
  }

  static String text(DataFile file) {
    return "%s%s (sha256 %s)"
        .formatted(
            file.tag().map(tag -> tag + "=").orElse(""),
            file.path().getFileName(),
            file.sha256().substring(0, DIGITS));
  }
}
