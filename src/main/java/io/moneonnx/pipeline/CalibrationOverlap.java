package io.moneonnx.pipeline;

import io.moneonnx.data.DataFile;
import io.moneonnx.profile.Profile;
import java.util.List;

/** Whether data to test on were calibrated on. */
final class CalibrationOverlap {
  private CalibrationOverlap() {}

  /**
   * Warns if they were.
   *
   * @param name what the user calls the data
   */
  static void warn(String name, List<DataFile> data, Profile profile, Console console) {
    if (data.stream().map(DataFile::sha256).anyMatch(profile::isOf)) {
      console.say(
          "'%s' was calibrated on: what is pruned costs less there than on text never seen"
              .formatted(name));
    }
  }
}
