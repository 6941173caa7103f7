package io.moneonnx.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.PrintWriter;

/** What a command found, for people and for programs. */
interface Report {
  /** For people, line by line. */
  String text();

  void writeTo(JsonWriter json) throws IOException;

  /** Prints it for one or the other. */
  default void print(boolean asJson, PrintWriter out) throws IOException {
    if (asJson) {
      JsonWriter json = new JsonWriter(out);
      json.setIndent("  ");
      writeTo(json);
      json.flush();
      out.println();
    } else {
      out.print(text());
    }
    out.flush();
  }
}
