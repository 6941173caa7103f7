package io.moneonnx.graph;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files that are read into memory as a whole: plans, settings, templates; none is large. */
public final class WholeFile {
  private static final int MOST = 1 << 28;

  private WholeFile() {}

  /**
   * What comes, up to its end.
   *
   * @param what names it in the message
   * @throws BadInputException if that is more than any such file has, or has no end
   */
  public static byte[] bytes(String what, InputStream in) throws IOException {
    byte[] bytes = in.readNBytes(MOST);
    if (bytes.length == MOST && in.read() >= 0) {
      throw new BadInputException(
          "%s: more than %,d bytes, which is too large for what it is to be".formatted(what, MOST));
    }
    return bytes;
  }

  public static byte[] bytes(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return bytes(file.toString(), in);
    }
  }

  /**
   * The file as text.
   *
   * @throws CharacterCodingException if it is none in UTF-8
   */
  public static String text(Path file) throws IOException {
    return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes(file))).toString();
  }
}
