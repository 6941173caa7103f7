package io.moneonnx.io;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Why a file operation failed, in words; Java's own messages are often no more than the path. */
final class Reason {
  private Reason() {}

  static String of(IOException e) {
    if (e instanceof NoSuchFileException) {
      return "no such file or folder: " + e.getMessage();
    } else if (e instanceof AccessDeniedException) {
      return "permission denied: " + e.getMessage();
    } else if (e instanceof FileSystemException failure && failure.getReason() == null) {
      return failure.getClass().getSimpleName() + ": " + e.getMessage();
    }
    return e.getMessage();
  }
}
