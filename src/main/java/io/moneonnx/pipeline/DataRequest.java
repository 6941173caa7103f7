package io.moneonnx.pipeline;

import io.moneonnx.data.Calibration;
import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.ModelFolder;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Which calibration data the user wants.
 *
 * @param files empty for what lies beside the model
 */
public record DataRequest(List<Path> files, CalibrationOptions options) {
  public DataRequest {
    files = List.copyOf(files);
  }

  /** The files that are read for it, as far as they are named. */
  public List<Path> named() {
    return Stream.concat(files.stream(), options.tokenizer().stream()).toList();
  }

  /** Opens the data for a model and says what they are. */
  Calibration open(Subject subject, Console console) {
    ModelFolder folder = new ModelFolder(subject.folder());
    List<Path> chosen = files;
    if (files.isEmpty()) {
      chosen = List.of(folder.calibration());
      console.say("calibration data: " + chosen.get(0) + ", found beside the model");
    }
    Calibration calibration = Calibration.open(chosen, folder, subject.model().graph(), options);
    calibration.notices().forEach(console::say);
    return calibration;
  }
}
