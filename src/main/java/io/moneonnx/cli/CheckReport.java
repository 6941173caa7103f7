package io.moneonnx.cli;

import java.util.Optional;

/** What a check found. */
interface CheckReport extends Report {
  /** For continuous integration. */
  JUnitFile junit();

  /** What was found and what was wanted, if the check failed. */
  Optional<String> failure();
}
