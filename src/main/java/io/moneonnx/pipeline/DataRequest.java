package io.moneonnx.pipeline;

import io.moneonnx.data.Calibration;
import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataSource;
import io.moneonnx.data.GivenFiles;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.data.ModelInputs;
import io.moneonnx.data.OwnText;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.observe.NonFinite;
import io.moneonnx.profile.Measured;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which calibration data the user wants.
 *
 * @param files empty for what lies beside the model
 * @param nonFinite what is done where an expert puts out NaN or infinity
 * @param detail how much is measured of each block
 */
public record DataRequest(
    List<DataSource> files, CalibrationOptions options, NonFinite nonFinite, Detail detail) {
  public DataRequest {
    files = List.copyOf(files);
  }

  /** Calibration stops where an expert puts out NaN or infinity. */
  public DataRequest(List<DataSource> files, CalibrationOptions options) {
    this(files, options, NonFinite.STOP, Detail.FULL);
  }

  /** The same, but such tokens are left out. */
  public DataRequest skippingNonFinite() {
    return new DataRequest(files, options, NonFinite.SKIP, detail);
  }

  /** The same, with the moments of inner neurons, which narrowing experts needs. */
  public DataRequest withMoments() {
    return new DataRequest(files, options, nonFinite, Detail.MOMENTS);
  }

  /** Other data, read in the same way. */
  DataRequest of(List<DataSource> others) {
    return new DataRequest(others, options, nonFinite, detail);
  }

  /** The files that are read for it, as far as they are named. */
  public List<Path> named() {
    return Stream.concat(
            GivenFiles.of(files).files().stream()
                .filter(source -> !source.isOwn())
                .map(DataSource::path),
            options.tokenizer().stream())
        .toList();
  }

  /** The files that are read for it, those that lie beside the model as well. */
  public List<Path> read(LoadedModel subject) {
    ModelFolder folder = new ModelFolder(subject.folder());
    return files.isEmpty() && folder.hasCalibration()
        ? Stream.concat(Stream.of(folder.calibration()), named().stream()).toList()
        : named();
  }

  /** The files that are read for it as held-out data, those that lie beside the model as well. */
  List<Path> readHeldOut(LoadedModel subject) {
    return files.isEmpty()
        ? Stream.concat(new ModelFolder(subject.folder()).heldOut().stream(), named().stream())
            .toList()
        : named();
  }

  /**
   * Checks that what was measured before was measured so. Leaving tokens out where it would have
   * stopped changes nothing as long as there were none.
   */
  void requireMeasured(Measured before) {
    if (nonFinite == NonFinite.STOP && !before.skipped().isEmpty()) {
      throw new BadInputException(
          "tokens were left out before, for something of theirs was not finite; "
              + "go on with --skip-nonfinite");
    }
  }

  /** Opens the data for a model and says what they are; what it is to write itself is written. */
  Calibration open(LoadedModel subject, RunOptions settings, Console console) {
    ModelFolder folder = new ModelFolder(subject.folder());
    if (files.isEmpty()) {
      return openFound("calibration", folder.calibration(), subject, console);
    }
    Map<Boolean, List<DataSource>> byOwn =
        files.stream().collect(Collectors.partitioningBy(DataSource::isOwn));
    WriteOwnText writer = new WriteOwnText(subject, settings, console);
    List<OwnText> own = byOwn.get(true).stream().map(source -> writer.of(source, options)).toList();
    return open(byOwn.get(false), own, subject, console);
  }

  /**
   * Opens them as data to test on: those beside the model that nothing was calibrated on, where
   * none are named.
   *
   * @param option what names such data, for messages
   */
  Calibration openHeldOut(String option, LoadedModel subject, Console console) {
    ModelFolder folder = new ModelFolder(subject.folder());
    return files.isEmpty()
        ? openFound("held-out", folder.heldOut(option), subject, console)
        : open(files, List.of(), subject, console);
  }

  private Calibration openFound(String kind, Path found, LoadedModel subject, Console console) {
    console.say("%s data: %s, found in the model's directory".formatted(kind, found));
    return open(List.of(DataSource.untagged(found)), List.of(), subject, console);
  }

  private Calibration open(
      List<DataSource> chosen, List<OwnText> own, LoadedModel subject, Console console) {
    ModelFolder folder = new ModelFolder(subject.folder());
    Calibration calibration =
        Calibration.open(
            chosen,
            own,
            folder,
            ModelInputs.of(subject.model().graph()).ignoring(subject.otherInputs()),
            options);
    calibration.notices().forEach(console::say);
    return calibration;
  }
}
