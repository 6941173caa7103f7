package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Kinds of files that are not read as text, told by their names or first bytes, and what to do with
 * them.
 */
enum NoText {
  COLUMNS(
      "an Arrow file",
      "arrow|feather",
      "ARROW1.*",
      "write its texts to .parquet or .jsonl, as to_parquet and to_json of Python's datasets do"),
  PARQUET("a Parquet file", "", "PAR[1E].*", "give it a name that ends in .parquet"),
  PDF("a PDF file", "pdf", "%PDF.*", "write its text to .txt, as pdftotext does"),
  OFFICE("an office document", "docx?|odt|rtf|pptx?|epub", "\\{\\\\rtf.*", "save it as .txt"),
  SHEET("a spreadsheet", "xlsx?|ods", "", "save it as .csv"),
  ARCHIVE(
      "an archive",
      "zip|tar|tgz|tar\\.\\w+|7z|rar",
      "PK\\x03\\x04.*",
      "unpack it and name its files, or the folder"),
  ARRAYS("packed arrays or tables", "(np[yz]|parquet)\\.gz", "", "unpack them"),
  PACKED(
      "packed",
      "zst|xz|bz2|lz4",
      "(\\x28\\xb5/\\xfd|\\xfd7zXZ|BZh).*",
      "unpack it, or pack it as .gz"),
  UNNAMED("packed by gzip", "gzip", "\\x1f\\x8b.*", "give it a name that ends in .gz"),
  WEIGHTS(
      "a file of weights or numbers",
      "bin|pt|pth|ckpt|safetensors|onnx|gguf|pkl|h5",
      "",
      "name text, or .npz or .npy arrays");

  private static final int FIRST = 8;

  private final String kind;
  private final String suffixes;
  private final String begin;
  private final String advice;

  NoText(String kind, String suffixes, String begin, String advice) {
    this.kind = kind;
    this.suffixes = suffixes;
    this.begin = begin;
    this.advice = advice;
  }

  /**
   * Checks that a file is none of them.
   *
   * @throws BadInputException if it is; it says what to do
   */
  static void refuse(Path file) {
    if (TextKind.of(file) == TextKind.PARQUET) {
      return;
    }
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    String first = name.endsWith(".gz") ? "" : first(file);
    Stream.of(values())
        .filter(each -> name.matches(".*\\.(" + each.suffixes + ")") || each.begins(first))
        .findFirst()
        .ifPresent(
            found -> {
              throw new BadInputException(
                  "%s: is %s, expected text: %s".formatted(file, found.kind, found.advice));
            });
  }

  private boolean begins(String first) {
    return !begin.isEmpty() && first.matches("(?s)" + begin);
  }

  private static String first(Path file) {
    try (InputStream bytes = Files.newInputStream(file)) {
      return new String(bytes.readNBytes(FIRST), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new BadInputException(file + ": cannot be read: " + Reason.of(e), e);
    }
  }
}
