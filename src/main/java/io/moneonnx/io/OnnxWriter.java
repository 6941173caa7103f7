package io.moneonnx.io;

import com.google.protobuf.CodedOutputStream;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.proto.onnx.ModelProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Writes ONNX files. Weights move from file to file and never pass through the heap. */
public final class OnnxWriter {
  private static final int BUFFER = 1 << 20;

  private OnnxWriter() {}

  /**
   * Writes a model, replacing what is there.
   *
   * @throws CannotWriteException if the machine does not let it
   */
  public static Written write(Model model, Path out, Placement placement) {
    try (Draft draft = draft(model, out, placement)) {
      return draft.publish(true);
    }
  }

  /**
   * Writes a model to a temporary folder beside {@code out}.
   *
   * @throws CannotWriteException if the machine does not let it; nothing is left behind then
   * @throws BadInputException if the model is too big to be written {@code INLINE}
   */
  public static Draft draft(Model model, Path out, Placement placement) {
    Draft draft = Draft.beside(out);
    try {
      write(model, draft, placement);
    } catch (IOException e) {
      draft.close();
      throw new CannotWriteException(out + ": cannot be written: " + Reason.of(e), e);
    } catch (RuntimeException | Error e) {
      draft.close();
      throw e;
    }
    return draft;
  }

  private static void write(Model model, Draft draft, Placement placement) throws IOException {
    try (SourceFiles sources = new SourceFiles()) {
      TensorSink inline = new InlineTensors(sources);
      DataFile data = new DataFile(draft.dataPath().getFileName().toString(), inline);
      TensorSink initializers = placement == Placement.EXTERNAL ? data : inline;
      write(new GraphWriter(initializers, inline).model(model), draft.path());
      if (!data.isEmpty()) {
        data.write(draft.dataPath(), sources);
      }
    }
  }

  private static void write(ModelProto proto, Path file) throws IOException {
    checkSize(proto);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      CodedOutputStream output =
          CodedOutputStream.newInstance(Channels.newOutputStream(channel), BUFFER);
      proto.writeTo(output);
      output.flush();
      channel.force(true);
    }
  }

  /**
   * A model as the bytes of an ONNX file, for a runtime that looks for external data in {@code
   * folder}. Big tensors in files of that folder stay there, also those inside a model file; all
   * others are in the bytes.
   *
   * @return a direct buffer, from its position to its limit
   * @throws BadInputException if the bytes would pass 2 GiB, or a file is gone
   */
  public static ByteBuffer toBytes(Model model, Path folder) {
    try (SourceFiles sources = new SourceFiles()) {
      TensorSink inline = new InlineTensors(sources);
      TensorSink initializers = new OriginalFiles(folder, inline);
      ModelProto proto = new GraphWriter(initializers, inline).model(model);
      checkSize(proto);
      ByteBuffer bytes = ByteBuffer.allocateDirect(proto.getSerializedSize());
      CodedOutputStream output = CodedOutputStream.newInstance(bytes);
      proto.writeTo(output);
      output.flush();
      return bytes.flip();
    } catch (IOException e) {
      throw new CannotWriteException(folder + ": weights cannot be read: " + Reason.of(e), e);
    }
  }

  /** Protobuf counts in 32 bits: a size beyond shows as a negative one. */
  private static void checkSize(ModelProto proto) {
    if (proto.getSerializedSize() < 0) {
      throw InlineTensors.tooBig();
    }
  }
}
