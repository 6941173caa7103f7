package io.moneonnx.pipeline;

/** What this program calls itself. */
public final class Tool {
  private Tool() {}

  /** The version of the jar, or {@code development}. */
  public static String version() {
    String version = Tool.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
