package io.moneonnx.io;

import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.file.Path;
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
   * Removes drafts of this file or folder that killed programs left, and not those that others are
   * writing.
   *
   * @return those that were removed
   */
  static List<Path> removeAbandoned(Path out) throws IOException {
    return DraftFolders.removeAbandoned(out);
  }

  /**
   * Puts a folder back that a killed program had moved away to replace it, and removes what else it
   * left; nobody else may be writing there.
   *
   * @return whether one was put back
   * @throws CannotWriteException if the machine does not let it
   */
  static boolean restore(Path out) {
    return FolderDraft.restore(out);
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
