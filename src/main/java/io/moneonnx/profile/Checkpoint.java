package io.moneonnx.profile;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A calibration under way.
 *
 * @param run what must be the same for it to go on, by name: model, data, options, device
 * @param measured what it has measured so far
 */
public record Checkpoint(Map<String, String> run, Measured measured) {
  public Checkpoint {
    run = Collections.unmodifiableMap(new LinkedHashMap<>(run));
  }
}
