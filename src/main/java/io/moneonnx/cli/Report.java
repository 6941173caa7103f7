package io.moneonnx.cli;

import io.moneonnx.json.Fields;
import io.moneonnx.json.JsonText;
import java.io.PrintWriter;

/** What a command found, for people and for programs. */
interface Report {
  /** For people, line by line. */
  String text();

  /** For programs. */
  Fields json();

  /** Prints it for one or the other. */
  default void print(boolean asJson, PrintWriter out) {
    out.print(asJson ? JsonText.indented(json()) : text());
    out.flush();
  }
}
