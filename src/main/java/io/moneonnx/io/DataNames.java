package io.moneonnx.io;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Names for the data files of a model that is to be written. Each is one that no model refers to
 * yet, so that data can be put into place before the model without changing what is there: {@code
 * model.onnx.data}, and {@code model.onnx-2.data} while the first is in use.
 */
final class DataNames {
  private static final String DATA = ".data";
  private static final String LINK = ".linked.data";

  private final String model;
  private final Optional<Path> present;
  private final Predicate<String> used;
  private final Set<String> given = new HashSet<>();

  /**
   * @param present the folder with files that may stay
   */
  private DataNames(Path model, Optional<Path> present, Predicate<String> used) {
    this.model = model.getFileName().toString();
    this.present = present;
    this.used = used;
  }

  /** Names beside a model file, which may replace one that has data files. */
  static DataNames beside(Path out) {
    Path model = out.toAbsolutePath();
    Set<Path> own = DataLocations.of(model);
    return new DataNames(
        model,
        Optional.of(model.getParent()),
        name -> {
          Path file = model.resolveSibling(name);
          return own.contains(DataLocations.real(file))
              || (Files.exists(file) && ModelFiles.isReadByOther(file, model));
        });
  }

  /**
   * Names in a folder that gets copies of all that lies beside {@code original}.
   *
   * @param kept what is copied though {@code original} reads it
   */
  static DataNames besideCopies(ModelFiles original, Set<Path> kept) {
    return new DataNames(
        original.model(),
        Optional.empty(),
        name -> {
          Path file = DataLocations.real(original.folder().resolve(name));
          return Files.exists(file) && (!original.all().contains(file) || kept.contains(file));
        });
  }

  /** A name for the file that takes what has to move. */
  String data() {
    return data(model + DATA);
  }

  /** The same, if it can be had {@code usual}. */
  String data(String usual) {
    return first(usual, name -> !used.test(name));
  }

  /** A name for a hard link to {@code data}; where one is there already, its name. */
  String linkTo(Path data) {
    return first(model + LINK, name -> isLink(name, data) || !used.test(name));
  }

  private boolean isLink(String name, Path data) {
    Optional<Path> link = present.map(folder -> folder.resolve(name)).filter(Files::exists);
    try {
      return link.isPresent() && Files.isSameFile(link.get(), data);
    } catch (IOException e) {
      throw new BadInputException(data + ": cannot be read: " + Reason.of(e), e);
    }
  }

  private String first(String usual, Predicate<String> free) {
    String name = usual;
    for (int number = 2; given.contains(name) || !free.test(name); number++) {
      name = usual.replaceFirst("(?=\\.[^.]*$|$)", "-" + number);
    }
    given.add(name);
    return name;
  }

  /** True of a file that has such a name and lies beside the model {@code out}. */
  static boolean isOf(Path out, Path data) {
    String name = Pattern.quote(out.getFileName().toString()) + "(\\.linked)?(-\\d+)?\\.data";
    return DataLocations.real(data)
            .getParent()
            .equals(DataLocations.real(out.toAbsolutePath().getParent()))
        && data.getFileName().toString().matches(name);
  }
}
