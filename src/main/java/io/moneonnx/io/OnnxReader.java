package io.moneonnx.io;

import com.google.protobuf.InvalidProtocolBufferException;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Nearest;
import io.moneonnx.graph.Reason;
import io.moneonnx.proto.onnx.GraphProto;
import io.moneonnx.proto.onnx.ModelProto;
import io.moneonnx.proto.onnx.Version;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Reads ONNX files, but not their weights: big initializers become ranges of the model file or of
 * the data files beside it. What the graph classes do not hold is kept and comes out again in
 * {@link OnnxWriter}, but for the documentation of attributes and the names of tensors in
 * attributes. Sparse constants and initializers come out dense.
 */
public final class OnnxReader {
  private static final int FIRST_IR_WITH_OPSETS = 3;
  private static final String LFS_POINTER = "version https://git-lfs";

  private OnnxReader() {}

  /** The last version of the format, ONNX's intermediate representation, of which all is known. */
  public static int irVersion() {
    return Arrays.stream(Version.values()).mapToInt(Version::getNumber).max().orElseThrow();
  }

  /**
   * Reads one model.
   *
   * @throws BadInputException if the file, or a data file that it refers to, is missing, cut short
   *     or contradicts itself; the message names the file and the tensor
   */
  public static Model read(Path file) {
    try {
      checkFile(file);
      ModelScan.Scanned scanned = ModelScan.scan(file.toRealPath());
      checkModel(file, scanned.model());
      TensorReader tensors = new TensorReader(file, new ExternalData(file));
      Model model = new GraphReader(file, tensors).model(scanned.model(), scanned.skipped());
      return NodeOrder.sorted(file, model);
    } catch (InvalidProtocolBufferException e) {
      if (Reason.of(e).contains("nesting")) {
        throw bad(file, "its subgraphs are nested too deep: no ONNX runtime reads it");
      }
      throw new BadInputException(
          "%s: is no ONNX file, or is cut short (%s)".formatted(file, Reason.of(e)), e);
    } catch (IOException e) {
      throw new BadInputException(file + ": cannot be read: " + Reason.of(e), e);
    }
  }

  private static void checkFile(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw bad(file, Nearest.missing(file));
    } else if (Files.isDirectory(file)) {
      throw bad(file, "is a folder, expected an ONNX file");
    } else if (Files.size(file) == 0) {
      throw bad(file, "is empty, expected an ONNX file");
    } else if (Files.size(file) > Integer.MAX_VALUE) {
      throw bad(
          file,
          "has %d bytes; an ONNX file has at most %d, and its weights in a data file"
              .formatted(Files.size(file), Integer.MAX_VALUE));
    } else if (begins(file, LFS_POINTER)) {
      throw bad(file, "is a Git LFS pointer, not yet the model: fetch it with 'git lfs pull'");
    }
  }

  private static boolean begins(Path file, String text) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(text.length()), StandardCharsets.ISO_8859_1).equals(text);
    }
  }

  /** A text may parse, and so may a file that was cut between two fields. */
  private static void checkModel(Path file, ModelProto proto) {
    GraphProto graph = proto.getGraph();
    if (!proto.hasGraph()) {
      throw bad(file, "has no graph: it is no ONNX file, or is cut short");
    } else if (graph.getNodeCount() == 0 && graph.getOutputCount() == 0) {
      throw bad(file, "its graph has neither nodes nor outputs");
    } else if (proto.getIrVersion() >= FIRST_IR_WITH_OPSETS && proto.getOpsetImportCount() == 0) {
      throw bad(file, "names no operator set: it is cut short");
    }
  }

  private static BadInputException bad(Path file, String found) {
    return new BadInputException(file + ": " + found);
  }
}
