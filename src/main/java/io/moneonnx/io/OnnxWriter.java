package io.moneonnx.io;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Reason;
import io.moneonnx.graph.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Writes ONNX files. Weights move from file to file and never pass through the heap. */
public final class OnnxWriter {
  /** Bytes of a tensor that leaves a model in memory first. */
  private static final long BIG = 1 << 20;

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
          Parts parts = new Parts(placement);
          parts.add(model, draft.path(), data, linked);
          parts.write(0);
          draft.refersTo(data.location(), LinkedData.linked(List.of(linked)), originals);
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
    return draftFolder(Map.of(original, model), out, placement);
  }

  /**
   * The same with several models of one root. Those that read the same data file have one again, in
   * which what is the same for several is written once.
   *
   * @param models by the files of their originals, that which the folder is asked for first
   */
  public static Draft draftFolder(Map<ModelFiles, Model> models, Path out, Placement placement) {
    ModelFiles first = models.keySet().iterator().next();
    ModelFiles all = first.with(models.keySet());
    FolderDraft draft = FolderDraft.beside(out, first);
    return filled(
        draft,
        out,
        () -> {
          Set<Path> kept = all.readByOthers().keySet();
          Map<ModelFiles, WeightsFile> data = new LinkedHashMap<>();
          Parts parts = new Parts(placement);
          for (Map.Entry<ModelFiles, Model> model : models.entrySet()) {
            ModelFiles original = model.getKey();
            DataNames names = DataNames.besideCopies(original, kept);
            WeightsFile weights =
                data.entrySet().stream()
                    .filter(earlier -> original.sharesData(earlier.getKey()))
                    .map(Map.Entry::getValue)
                    .findFirst()
                    .orElseGet(() -> new WeightsFile(names.data(original.dataName())));
            data.put(original, weights);
            Path file = out.resolve(original.name());
            LinkedData linked = new LinkedData(original.data(), file, names, weights);
            parts.add(model.getValue(), draft.folder().resolve(original.name()), weights, linked);
          }
          parts.write(all.bytesOfOthers());
          all.copyOthers(draft.folder());
          draft.holds(parts.files(), LinkedData.linked(parts.linked()));
        });
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

  /** Models that are written together, with their data files. */
  private static final class Parts {
    private final Placement placement;
    private final Map<Path, ModelMessage> models = new LinkedHashMap<>();
    private final Map<Path, WeightsFile> data = new LinkedHashMap<>();
    private final Map<Path, LinkedData> links = new LinkedHashMap<>();

    Parts(Placement placement) {
      this.placement = placement;
    }

    /**
     * Adds a model.
     *
     * @param weights its data file, which it may share with one that was added before
     */
    void add(Model model, Path file, WeightsFile weights, LinkedData linked) {
      ModelMessage message = new GraphWriter(sink(weights, linked)).model(model);
      message.checkSize(file.getFileName().toString());
      models.put(file, message);
      data.put(file.resolveSibling(weights.location()), weights);
      links.put(file, linked);
    }

    private TensorSink sink(WeightsFile weights, LinkedData linked) {
      return switch (placement) {
        case INLINE -> TensorSink.NONE;
        case EXTERNAL -> weights;
        case LINKED -> linked;
      };
    }

    /** Data files, some of which may not be needed, and model files, the first of them last. */
    List<Path> files() {
      List<Path> files = new ArrayList<>(models.keySet());
      Collections.reverse(files);
      files.addAll(0, data.keySet());
      return files;
    }

    Collection<LinkedData> linked() {
      return links.values();
    }

    /**
     * Writes all.
     *
     * @param others bytes of what is to be copied beside it
     */
    void write(long others) throws IOException {
      Path first = models.keySet().iterator().next();
      long bytes = others;
      for (ModelMessage message : models.values()) {
        bytes += message.size();
      }
      for (WeightsFile weights : data.values()) {
        bytes += weights.size();
      }
      DiskSpace space = new DiskSpace(first.getParent(), bytes);
      space.require();
      try (SourceFiles sources = new SourceFiles()) {
        for (Map.Entry<Path, WeightsFile> weights : data.entrySet()) {
          if (weights.getValue().size() > 0) {
            weights.getValue().write(weights.getKey(), sources);
          }
        }
        for (Map.Entry<Path, ModelMessage> model : models.entrySet()) {
          Files.createDirectories(model.getKey().getParent());
          write(model.getValue(), model.getKey(), sources);
        }
      } catch (IOException e) {
        for (Path file : files()) {
          Files.deleteIfExists(file);
        }
        throw space.because(e);
      }
      for (Map.Entry<Path, LinkedData> link : links.entrySet()) {
        link.getValue().linkInto(link.getKey().getParent());
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
  }

  /**
   * A model for a runtime that looks for external data in {@code folder}. Big tensors in files of
   * that folder stay there, also those inside a model file; those off the heap stay there too; all
   * others are in the bytes, or off the heap where these would pass 2 GiB.
   *
   * @throws BadInputException if the bytes would pass 2 GiB without any big tensors
   * @throws CannotWriteException if the weights cannot be read any more
   */
  public static InMemory inMemory(Model model, Path folder) {
    return inMemory(model, folder, Integer.MAX_VALUE);
  }

  /**
   * The same with another limit.
   *
   * @param most bytes that the model may have with all that is not off the heap yet
   */
  static InMemory inMemory(Model model, Path folder, long most) {
    try (SourceFiles sources = new SourceFiles()) {
      Map<String, Tensor> apart = new LinkedHashMap<>();
      ModelMessage message =
          new GraphWriter(new OriginalFiles(folder)).model(model).without(Long.MAX_VALUE, apart);
      if (message.size() > most) {
        message = message.without(BIG, apart);
      }
      message.checkSize("the model in memory");
      ByteBuffer bytes = ByteBuffer.allocateDirect(Math.toIntExact(message.size()));
      message.write(new MemoryChannel(bytes), sources);
      return new InMemory(bytes.flip(), apart);
    } catch (IOException e) {
      throw new CannotWriteException(folder + ": weights cannot be read: " + Reason.of(e), e);
    }
  }
}
