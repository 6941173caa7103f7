package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/**
 * A file that was read for calibration.
 *
 * @param tag what the user calls it, if anything
 * @param bytes its size
 * @param sha256 of its bytes when it was read, in hexadecimal digits
 * @param tokens how many tokens were made of it or found in it, padding excluded, 0 where it holds
 *     none
 */
public record DataFile(Optional<String> tag, Path path, long bytes, String sha256, long tokens) {
  static DataFile of(Optional<String> tag, Path path, long tokens) {
    return new DataFile(tag, path, path.toFile().length(), sha256(path), tokens);
  }

  /** Of some bytes, in hexadecimal digits. */
  static String sha256(byte[] bytes) {
    return HexFormat.of().formatHex(digest().digest(bytes));
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String sha256(Path path) {
    try (InputStream file = Files.newInputStream(path)) {
      MessageDigest digest = digest();
      new DigestInputStream(file, digest).transferTo(OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new BadInputException(path + ": cannot be read: " + Reason.of(e), e);
    }
  }
}
