package io.moneonnx.pipeline;

import io.moneonnx.graph.Model;
import io.moneonnx.io.Draft;
import io.moneonnx.io.ModelFiles;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.io.Written;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Copies a model as it is, with all the weights that it refers to, and no others. */
public final class Pack {
  private Pack() {}

  /**
   * Writes the copy, which shares no file with the model.
   *
   * @param given a model file, or a folder with one model in it
   * @param output a file, or a folder if the model was given as one
   * @param placement where the weights go; chosen by size and input if absent
   * @param force whether what is at {@code output} may be replaced
   * @param console is told what the user should know
   * @throws io.moneonnx.graph.BadInputException if it is no model that can be read, or may not be
   *     written there
   * @throws io.moneonnx.io.CannotWriteException if the machine does not let it
   */
  public static Written run(
      Path given, Path output, Optional<Placement> placement, boolean force, Console console)
      throws IOException {
    Path file = ReadModel.file(given);
    Model model = OnnxReader.read(file);
    ModelFiles files = ModelFiles.of(given, file, model);
    Output.checkModel(output, force, placement, given, files, List.of(), console);
    if (Files.isDirectory(given)) {
      Output.tellCopied(files, other -> "only one model is packed", console);
    }
    Placement where = placement.orElseGet(() -> Placement.fitting(model, file));
    try (Draft draft =
        Files.isDirectory(given)
            ? OnnxWriter.draftFolder(model, files, output, where)
            : OnnxWriter.draft(model, files, output, where)) {
      return draft.publish(force);
    }
  }
}
