package io.moneonnx.graph;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/**
 * Why reading or writing failed, in words: Java's own messages are often no more than a path, and
 * Gson's talk to programmers.
 */
public final class Reason {
  private static final String TO_PROGRAMMERS =
      "Use JsonReader.setStrictness(Strictness.LENIENT) to accept malformed JSON";

  private Reason() {}

  public static String of(Exception e) {
    if (e instanceof NoSuchFileException) {
      return "no such file or folder: " + e.getMessage();
    } else if (e instanceof AccessDeniedException) {
      return "permission denied: " + e.getMessage();
    } else if (e instanceof FileSystemException failure && failure.getReason() == null) {
      return failure.getClass().getSimpleName() + ": " + e.getMessage();
    } else if (!(e instanceof IOException) && e.getCause() instanceof IOException cause) {
      return of(cause);
    }
    return words(e.getMessage() == null ? e.toString() : e.getMessage());
  }

  /** Without the path that a parser was at, and the link to its manual. */
  private static String words(String message) {
    return message
        .replaceFirst("(?s)( path \\$\\S*)?\\s*\\nSee https?:.*", "")
        .replaceFirst("( at line \\d+ column \\d+) path \\$\\S*$", "$1")
        .replace(TO_PROGRAMMERS, "unexpected character")
        .replaceFirst("^End of input", "ends too early")
        .replaceFirst("(?s)\\.  This could mean either .*", "");
  }
}
