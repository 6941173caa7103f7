package io.moneonnx.io;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.proto.onnx.GraphProto;
import io.moneonnx.proto.onnx.ModelProto;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Reads ONNX files. The file is mapped, not loaded: big initializers become ranges of it or of the
 * data files beside it, small ones refer to the mapping. What the graph classes do not hold is kept
 * and comes out again in {@link OnnxWriter}, but for the documentation of attributes and the names
 * of tensors in attributes.
 */
public final class OnnxReader {
  private static final int DEEPEST_NESTING = 300;
  private static final int FIRST_IR_WITH_OPSETS = 3;
  private static final ByteString LFS_POINTER = ByteString.copyFromUtf8("version https://git-lfs");

  private OnnxReader() {}

  /**
   * Reads one model.
   *
   * @throws BadInputException if the file, or a data file that it refers to, is missing, cut short
   *     or contradicts itself; the message names the file and the tensor
   */
  public static Model read(Path file) {
    try {
      ByteString bytes = map(file);
      ModelProto proto = parse(file, bytes);
      check(file, proto);
      return new GraphReader(file, new TensorReader(file))
          .model(proto, RawDataOffsets.of(input(bytes)));
    } catch (IOException e) {
      throw new BadInputException(file + ": cannot be read: " + Reason.of(e), e);
    }
  }

  private static ByteString map(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw bad(file, "no such file");
    } else if (Files.isDirectory(file)) {
      throw bad(file, "is a folder, wanted an ONNX file");
    }
    try (FileChannel channel = FileChannel.open(file)) {
      if (channel.size() == 0) {
        throw bad(file, "is empty, wanted an ONNX file");
      } else if (channel.size() > Integer.MAX_VALUE) {
        throw bad(
            file,
            "has %d bytes; an ONNX file has at most %d, and its weights in a data file"
                .formatted(channel.size(), Integer.MAX_VALUE));
      }
      return UnsafeByteOperations.unsafeWrap(channel.map(MapMode.READ_ONLY, 0, channel.size()));
    }
  }

  private static ModelProto parse(Path file, ByteString bytes) {
    if (bytes.startsWith(LFS_POINTER)) {
      throw bad(file, "is a Git LFS pointer, not yet the model: fetch it with 'git lfs pull'");
    }
    try {
      CodedInputStream input = input(bytes);
      ModelProto proto = ModelProto.parser().parsePartialFrom(input);
      input.checkLastTagWas(0);
      return proto;
    } catch (InvalidProtocolBufferException e) {
      throw new BadInputException(
          "%s: is no ONNX file, or is cut short (%s)".formatted(file, e.getMessage()), e);
    }
  }

  /** A stream from which parsed byte strings are slices of {@code bytes}. */
  private static CodedInputStream input(ByteString bytes) {
    CodedInputStream input = bytes.newCodedInput();
    input.enableAliasing(true);
    input.setSizeLimit(Integer.MAX_VALUE);
    input.setRecursionLimit(DEEPEST_NESTING);
    return input;
  }

  /** A text may parse, and so may a file that was cut between two fields. */
  private static void check(Path file, ModelProto proto) {
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
