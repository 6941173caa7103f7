package io.moneonnx.verify.golden;

import com.google.protobuf.InvalidProtocolBufferException;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import io.moneonnx.graph.WholeFile;
import io.moneonnx.io.Draft;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipException;

/** Golden outputs on disk, in the format of {@code proto/golden.proto}. */
public final class GoldenFile {
  private static final byte[] MAGIC = "MONEGOLD".getBytes(StandardCharsets.US_ASCII);

  private GoldenFile() {}

  /**
   * Writes a file, or nothing; a present file is replaced. The same content makes the same bytes.
   */
  public static void write(Golden golden, Path file) {
    Draft.write(
        file,
        path -> {
          try (OutputStream disk = new BufferedOutputStream(Files.newOutputStream(path))) {
            disk.write(MAGIC);
            try (OutputStream out = new GZIPOutputStream(disk)) {
              GoldenMessage.of(golden).writeTo(out);
            }
          }
        });
  }

  /**
   * Reads a file.
   *
   * @throws BadInputException if it holds no golden outputs, those of another version, or is
   *     damaged, or cannot be read
   */
  public static Golden read(Path file) {
    if (Files.isDirectory(file)) {
      throw new BadInputException(file + ": is a folder, expected a file that golden record wrote");
    }
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      if (!Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) {
        throw new BadInputException(
            file + " holds no golden outputs: golden record makes such files");
      }
      return GoldenMessage.read(content(file, in));
    } catch (ZipException | EOFException | InvalidProtocolBufferException e) {
      throw new BadInputException("%s is damaged (%s)".formatted(file, Reason.of(e)), e);
    } catch (IllegalArgumentException e) {
      throw new BadInputException("%s: %s".formatted(file, e.getMessage()), e);
    } catch (IOException e) {
      throw new BadInputException(file + ": cannot be read: " + Reason.of(e), e);
    }
  }

  /** Read to the end, so that its checksum is looked at. */
  private static byte[] content(Path file, InputStream in) throws IOException {
    try (GZIPInputStream unpacked = new GZIPInputStream(in)) {
      return WholeFile.bytes(file.toString(), unpacked);
    }
  }
}
