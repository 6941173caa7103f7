package io.moneonnx.io;

import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What is written but not yet at its place: it lies, complete and under its final name, in a
 * temporary folder beside it; a model is verified there. Publishing moves it into place; closing
 * removes what was not published, and so does the end of the program.
 *
 * <pre>{@code
 * try (Draft draft = OnnxWriter.draft(model, out, Placement.EXTERNAL)) {
 *   verify(draft.path());
 *   draft.publish(false);
 * }
 * }</pre>
 */
public sealed interface Draft extends AutoCloseable permits FileDraft, FolderDraft {
  /** Writes one file, or nothing; a file that is there is replaced. */
  static void write(Path out, Content content) {
    try (FileDraft draft = FileDraft.beside(out)) {
      content.writeTo(draft.path());
      draft.publish(true);
    } catch (IOException e) {
      throw new CannotWriteException(out + ": cannot be written: " + Reason.of(e), e);
    }
  }

  /**
   * Removes what killed programs that wrote this file or folder left beside it, and puts a folder
   * back that one had moved away to replace it. What others are writing is left alone.
   *
   * @return what was done, line by line
   * @throws CannotWriteException if the machine does not let it
   */
  static List<String> recover(Path out) {
    try {
      List<String> done = new ArrayList<>(FolderDraft.restore(out));
      done.addAll(DraftFolders.removeAbandoned(out));
      return done;
    } catch (IOException e) {
      throw new CannotWriteException(
          out + ": what a killed program left cannot be removed: " + Reason.of(e), e);
    }
  }

  /** Writes to a path that is free. */
  @FunctionalInterface
  interface Content {
    void writeTo(Path path) throws IOException;
  }

  /** The model file as it is now. */
  Path path();

  /**
   * Moves it into place, where it appears at once.
   *
   * @param force whether what is there already may be replaced
   * @throws io.moneonnx.graph.BadInputException if it may not, or something else is in the way
   */
  Written publish(boolean force);

  @Override
  void close();
}
