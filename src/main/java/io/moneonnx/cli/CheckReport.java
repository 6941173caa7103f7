package io.moneonnx.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.util.Optional;

/** What a check found, for people and for programs. */
interface CheckReport {
  /** For people, line by line. */
  String text();

  void writeTo(JsonWriter json) throws IOException;

  /** For continuous integration. */
  JUnitFile junit();

  /** What was found and what was wanted, if the check failed. */
  Optional<String> failure();
}
