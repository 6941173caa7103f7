package io.moneonnx.cli;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.pipeline.CheckGolden;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Whether a model puts out what was recorded. */
record GoldenOutcome(Path model, Path golden, CheckGolden.Result result) implements CheckReport {
  @Override
  public String text() {
    return new GoldenText(result).toString();
  }

  @Override
  public void writeTo(JsonWriter json) throws IOException {
    new GoldenJson(result).writeTo(json);
  }

  @Override
  public JUnitFile junit() {
    return new JUnitFile("mone-onnx golden check", new GoldenText(result).cases());
  }

  @Override
  public Optional<String> failure() {
    return result.report().holds()
        ? Optional.empty()
        : Optional.of("%s: does not put out what %s holds".formatted(model, golden));
  }
}
