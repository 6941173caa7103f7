package io.moneonnx.jinja;

import java.util.List;

/** What puts text out, or sets names. */
interface Statement {
  /** How a loop goes on behind it. */
  enum Flow {
    NEXT,
    CONTINUE,
    BREAK
  }

  Flow run(Scope scope, StringBuilder out);

  /** One after the other. */
  static Statement all(List<Statement> statements) {
    List<Statement> parts = List.copyOf(statements);
    return (scope, out) -> {
      for (Statement part : parts) {
        Flow flow = part.run(scope, out);
        if (flow != Flow.NEXT) {
          return flow;
        }
      }
      return Flow.NEXT;
    };
  }

  /** The text that it puts out. */
  default String text(Scope scope) {
    StringBuilder out = new StringBuilder();
    run(scope, out);
    return out.toString();
  }
}
