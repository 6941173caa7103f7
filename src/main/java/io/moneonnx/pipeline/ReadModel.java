package io.moneonnx.pipeline;

import io.moneonnx.canonical.Canonical;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.data.ModelInputs;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.io.ModelFiles;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.rewrite.Provenance;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import io.moneonnx.run.Session;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * A model that was read.
 *
 * @param given the model file, or the folder that stands for it
 * @param bytes of the model's files, and of what its functions take where they are called
 */
public record ReadModel(Path given, ModelFiles files, long bytes, Canonical canonical) {
  private static final int OLDEST_OPSET = 13;

  /**
   * Reads a model.
   *
   * @param given a model file, or a folder with one model in it
   * @throws BadInputException if it is no model that can be read
   */
  static ReadModel open(Path given) {
    Path file = file(given);
    Model read = OnnxReader.read(file);
    if (read.opset() < OLDEST_OPSET) {
      throw new BadInputException(
          "%s: opset %d; expected %d or later".formatted(file, read.opset(), OLDEST_OPSET));
    }
    Canonical canonical = canonical(file, read);
    ModelFiles files = ModelFiles.of(given, file, read);
    return new ReadModel(
        given, files, files.bytes() + growth(read, canonical.model(), files.folder()), canonical);
  }

  /** The same files with another model that was made of theirs. */
  ReadModel with(Model part) {
    return new ReadModel(given, files, bytes, canonical(file(), part));
  }

  /** The model file that a user means by a file or a folder. */
  static Path file(Path given) {
    return Files.isDirectory(given) ? new ModelFolder(given).model(ReadModel::isFedTokens) : given;
  }

  /** What cannot be read is no model that anyone means. */
  private static boolean isFedTokens(Path file) {
    try {
      return ModelInputs.areTokens(OnnxReader.read(file).graph());
    } catch (BadInputException e) {
      return false;
    }
  }

  /**
   * By block the experts that the model says were pruned before.
   *
   * @throws BadInputException if what it says cannot be read
   */
  public Map<String, Provenance.Gone> gone() {
    return said(model -> Provenance.gone(model).orElse(Map.of()));
  }

  /**
   * How the model says that it was made, oldest run first.
   *
   * @throws BadInputException if what it says cannot be read
   */
  public List<Map<String, String>> runs() {
    return said(Provenance::runs);
  }

  private <T> T said(Function<Model, T> reading) {
    try {
      return reading.apply(model());
    } catch (BadInputException e) {
      throw new BadInputException(file() + ": " + e.getMessage(), e);
    }
  }

  /** The model in its canonical spelling. */
  public Model model() {
    return canonical.model();
  }

  private static Canonical canonical(Path file, Model model) {
    try {
      return Canonical.of(model);
    } catch (BadInputException e) {
      throw new BadInputException(file + ": " + e.getMessage(), e);
    }
  }

  /** How much larger a model may get where its functions are put in place of calls, in bytes. */
  private static long growth(Model read, Model inlined, Path folder) {
    return read.functions().isEmpty()
        ? 0
        : Math.max(0, bytes(inlined, folder) - bytes(read, folder));
  }

  private static long bytes(Model model, Path folder) {
    return OnnxWriter.inMemory(model, folder).bytes().remaining();
  }

  /**
   * Checks that this may be the original of another model.
   *
   * @throws BadInputException if it says of itself that experts are gone, and the other does not
   */
  void requireOriginalOf(Path pruned, Model other) {
    if (Provenance.gone(model()).isPresent() && Provenance.gone(other).isEmpty()) {
      throw new BadInputException(
          "%s: was pruned itself, and %s was not; the original comes first"
              .formatted(given, pruned));
    }
  }

  /** The model file. */
  Path file() {
    return files.model();
  }

  /** The folder that the model's files lie in. */
  Path folder() {
    return files.folder();
  }

  /**
   * Tells a model that is broken from a runtime that fails: call it where a model made of this one
   * does not load or run.
   *
   * @throws BadInputException if ONNX Runtime does not take the model as it is
   */
  void requireLoads(RunOptions options) {
    requireLoads(file(), options);
  }

  /** The same for any model file. */
  static void requireLoads(Path file, RunOptions options) {
    RunOptions plain = new RunOptions(new Device.Cpu(), options.threads(), notice -> {});
    try (Session session = Session.open(file, plain)) {
      Objects.requireNonNull(session);
    } catch (RuntimeFailureException e) {
      throw new BadInputException("ONNX Runtime does not take " + e.getMessage(), e);
    }
  }
}
