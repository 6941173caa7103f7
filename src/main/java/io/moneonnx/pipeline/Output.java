package io.moneonnx.pipeline;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.io.CannotWriteException;
import io.moneonnx.io.Draft;
import io.moneonnx.io.ModelFiles;
import io.moneonnx.io.Placement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Checks where a result is to go before any work is done. */
public final class Output {
  private Output() {}

  /**
   * Refuses a file that would replace something it must not, and removes what a killed program that
   * was to write it left.
   *
   * @param console is told of that
   * @throws BadInputException if {@code out} is an input, or exists and {@code force} is not set
   * @throws CannotWriteException if nothing can be written there
   */
  public static void check(Path out, boolean force, Collection<Path> inputs, Console console)
      throws IOException {
    requireFile(out, inputs);
    requireWritable(out);
    recover(out, console);
    requireForce(out, force);
  }

  private static void recover(Path out, Console console) {
    Draft.recover(out).forEach(console::say);
  }

  private static void requireFile(Path out, Collection<Path> inputs) throws IOException {
    for (Path input : inputs) {
      if (Files.exists(out) && Files.exists(input) && Files.isSameFile(out, input)) {
        throw isRead(out);
      }
    }
    if (out.toString().isEmpty()) {
      throw new BadInputException("-o: the name is empty, expected a file to write");
    }
    if (Files.isDirectory(out)) {
      throw new BadInputException(out + ": is a folder, expected a file to write");
    }
    if (Files.exists(out) && !Files.isRegularFile(out)) {
      throw new BadInputException(out + ": is a device or a pipe, expected a file to write");
    }
  }

  private static void requireForce(Path out, boolean force) {
    if (Files.exists(out) && !force) {
      throw new BadInputException(out + ": exists already; --force replaces it");
    }
  }

  /**
   * Refuses a place at which a model would replace something it must not.
   *
   * @param given the model that it is made from: a file, or a folder, and then a folder is written
   * @param original the files of that model
   * @param inputs what else is read
   * @param console is told what a killed program left, which is removed or put back
   * @throws BadInputException if an input is there, or something that may not be replaced, or the
   *     model cannot be linked from there
   * @throws CannotWriteException if nothing can be written there
   */
  static void checkModel(
      Path out,
      boolean force,
      Optional<Placement> placement,
      Path given,
      ModelFiles original,
      Collection<Path> inputs,
      Console console)
      throws IOException {
    if (Files.isDirectory(given)) {
      checkFolder(out, force, original, inputs, console);
    } else {
      List<Path> all = new ArrayList<>(inputs);
      all.addAll(original.all());
      check(out, force, all, console);
      Path weights = out.resolveSibling(out.getFileName() + ".data");
      if (Files.exists(weights) && !placement.equals(Optional.of(Placement.INLINE))) {
        requireFile(weights, all);
        requireForce(weights, force);
      }
    }
    if (placement.equals(Optional.of(Placement.LINKED))) {
      original.requireLinkable(out);
      Path link = out.resolveSibling(out.getFileName() + ".linked.data");
      requireForce(link, force);
    }
  }

  /**
   * Refuses a folder that would replace something it must not.
   *
   * @param original the model of which it is to hold a rewritten one
   * @param inputs what else is read
   * @param console is told what a killed program left, which is removed or put back
   * @throws BadInputException if {@code out} holds an input, or may not be replaced
   * @throws CannotWriteException if nothing can be written there
   */
  private static void checkFolder(
      Path out, boolean force, ModelFiles original, Collection<Path> inputs, Console console)
      throws IOException {
    if (out.toString().isEmpty() || out.getFileName() == null) {
      throw new BadInputException(
          "-o: found '" + out + "', expected the name of a folder to write");
    }
    requireWritable(out);
    recover(out, console);
    original.requireRoom(out, force);
    for (Path input : inputs) {
      if (Files.exists(out)
          && Files.exists(input)
          && input.toRealPath().startsWith(out.toRealPath())) {
        throw isRead(input);
      }
    }
  }

  /**
   * Tells which models of a folder are copied as they are, what of the others' data with them, and
   * what is not copied.
   *
   * @param files those of the models that are not
   * @param reason why one is
   * @throws BadInputException if one would be left without its weights
   */
  static void tellCopied(ModelFiles files, Function<Path, String> reason, Console console) {
    files.left().forEach((file, why) -> console.say("%s: is left behind: %s".formatted(file, why)));
    for (Path other : files.otherModels()) {
      console.say("%s: is copied as it is: %s".formatted(other, reason.apply(other)));
    }
    files
        .readByOthers()
        .forEach(
            (data, other) ->
                console.say(
                    "%s: is copied too, since %s reads it".formatted(data, other.getFileName())));
  }

  private static BadInputException isRead(Path path) {
    return new BadInputException(path + ": is read as an input; give another output");
  }

  private static void requireWritable(Path out) throws IOException {
    Path folder = out.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder)) {
      throw new BadInputException(out + ": there is no folder " + folder);
    }
    if (Files.getFileStore(folder).isReadOnly()) {
      throw new CannotWriteException(
          out + ": the file system of the folder " + folder + " is read-only");
    }
    if (!Files.isWritable(folder)) {
      throw new CannotWriteException(out + ": no permission to write into the folder " + folder);
    }
  }
}
