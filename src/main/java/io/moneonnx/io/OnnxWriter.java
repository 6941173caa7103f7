package io.moneonnx.io;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/** Writes ONNX files. Weights move from file to file and never pass through the heap. */
public final class OnnxWriter {
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
    return draft(model, Set.of(), out, placement);
  }

  /**
   * Writes a model to a temporary folder beside {@code out}; it may refer to the data files of the
   * {@code original}.
   *
   * @throws CannotWriteException if the machine does not let it; nothing is left behind then
   * @throws BadInputException if the model is too big to be written {@code INLINE}, or cannot be
   *     {@code LINKED} from there
   */
  public static Draft draft(Model model, ModelFiles original, Path out, Placement placement) {
    return draft(model, original.data(), out, placement);
  }

  private static Draft draft(Model model, Set<Path> originals, Path out, Placement placement) {
    FileDraft draft = FileDraft.beside(out);
    return filled(
        draft,
        out,
        () -> {
          DataNames names = DataNames.beside(out);
          WeightsFile data = new WeightsFile(names.data());
          LinkedData linked = new LinkedData(originals, out, names, data);
          write(model, draft.path(), sink(placement, data, linked), data, 0);
          linked.linkInto(draft.path().getParent());
          draft.refersTo(data.location(), linked.linked(), originals);
        });
  }

  /**
   * Writes a model and copies of all that else lies in the {@code original}'s root to a temporary
   * folder beside {@code out}, a folder itself. Model and data file are called as they were.
   *
   * @throws CannotWriteException if the machine does not let it; nothing is left behind then
   * @throws BadInputException if the model is too big to be written {@code INLINE}, or cannot be
   *     {@code LINKED} from there
   */
  public static Draft draftFolder(Model model, ModelFiles original, Path out, Placement placement) {
    FolderDraft draft = FolderDraft.beside(out, original);
    return filled(
        draft,
        out,
        () -> {
          DataNames names = DataNames.besideCopies(original);
          WeightsFile data = new WeightsFile(names.data(original.dataName()));
          Path file = out.resolve(original.name());
          LinkedData linked = new LinkedData(original.data(), file, names, data);
          TensorSink sink = sink(placement, data, linked);
          write(model, draft.path(), sink, data, original.bytesOfOthers());
          linked.linkInto(draft.path().getParent());
          original.copyOthers(draft.folder());
          draft.refersTo(data.location(), linked.linked());
        });
  }

  private static TensorSink sink(Placement placement, WeightsFile data, LinkedData linked) {
    return switch (placement) {
      case INLINE -> TensorSink.NONE;
      case EXTERNAL -> data;
      case LINKED -> linked;
    };
  }

  private static Draft filled(Draft draft, Path out, Filling filling) {
    try {
      filling.run();
      return draft;
    } catch (IOException e) {
      draft.close();
      throw new CannotWriteException(out + ": cannot be written: " + Reason.of(e), e);
    } catch (RuntimeException | Error e) {
      draft.close();
      throw e;
    }
  }

  /** What makes a draft complete. */
  @FunctionalInterface
  private interface Filling {
    void run() throws IOException;
  }

  /**
   * Writes the model and its data.
   *
   * @param others bytes of what is to be copied beside it
   */
  private static void write(Model model, Path file, TensorSink sink, WeightsFile data, long others)
      throws IOException {
    ModelMessage message = new GraphWriter(sink).model(model);
    message.checkSize(file.getFileName().toString());
    DiskSpace space = new DiskSpace(file.getParent(), message.size() + data.size() + others);
    space.require();
    Path dataFile = file.resolveSibling(data.location());
    try (SourceFiles sources = new SourceFiles()) {
      if (data.size() > 0) {
        data.write(dataFile, sources);
      }
      write(message, file, sources);
    } catch (IOException e) {
      Files.deleteIfExists(dataFile);
      Files.deleteIfExists(file);
      throw space.because(e);
    }
  }

  private static void write(ModelMessage message, Path file, SourceFiles sources)
      throws IOException {
    try (FileChannel target =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      message.write(target, sources);
      target.force(true);
    }
  }

  /**
   * A model as the bytes of an ONNX file, for a runtime that looks for external data in {@code
   * folder}. Big tensors in files of that folder stay there, also those inside a model file; all
   * others are in the bytes.
   *
   * @return a direct buffer, from its position to its limit
   * @throws BadInputException if the bytes would pass 2 GiB
   * @throws CannotWriteException if the weights cannot be read any more
   */
  public static ByteBuffer toBytes(Model model, Path folder) {
    try (SourceFiles sources = new SourceFiles()) {
      ModelMessage message = new GraphWriter(new OriginalFiles(folder)).model(model);
      message.checkSize("the model in memory");
      ByteBuffer bytes = ByteBuffer.allocateDirect(Math.toIntExact(message.size()));
      message.write(new MemoryChannel(bytes), sources);
      return bytes.flip();
    } catch (IOException e) {
      throw new CannotWriteException(folder + ": weights cannot be read: " + Reason.of(e), e);
    }
  }
}
