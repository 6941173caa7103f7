package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Graph;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Data whose tokens are to be foreseen. Each document of a text is by itself: the model sees
 * nothing of another one, nor of another file. Rows of arrays are sequences by themselves and fed
 * whole; tokens that an {@code attention_mask} hides do not count.
 */
public final class Passages {
  private final Map<String, List<DataSource>> sources = new LinkedHashMap<>();
  private final List<String> leftOut;
  private final ModelFolder folder;
  private final ModelInputs inputs;
  private final PassageOptions options;
  private final BatchSize size;
  private final SlidingWindows windows;

  private Passages(
      GivenFiles given, ModelFolder folder, ModelInputs inputs, PassageOptions options) {
    this.leftOut = given.notices();
    given
        .files()
        .forEach(
            source ->
                sources
                    .computeIfAbsent(
                        source.tag().orElseGet(() -> source.path().toString()),
                        name -> new ArrayList<>())
                    .add(source));
    this.folder = folder;
    this.inputs = inputs;
    this.options = options;
    this.size = BatchSize.choose(options.reading().batch(), inputs);
    int length = SequenceLength.choose(options.reading().sequenceLength(), inputs, folder);
    this.windows =
        new SlidingWindows(
            length, options.stride().orElse(length), SequenceLength.fixed(inputs).isPresent());
  }

  /**
   * Data for a model that takes tokens; nothing is read yet.
   *
   * @param given {@code .npz} and {@code .npy} arrays, anything else as text
   * @param folder where the model lies, for its tokenizer and its longest sequence
   * @throws BadInputException if a file is missing, or windows do not suit the model
   */
  public static Passages open(
      List<DataSource> given, ModelFolder folder, Graph graph, PassageOptions options) {
    GivenFiles found = GivenFiles.of(given);
    found.files().forEach(DataSource::requireFile);
    if (found.files().stream().allMatch(DataSource::isArrays)) {
      requireNothingForText(options);
    }
    return new Passages(found, folder, ModelInputs.of(graph), options);
  }

  private static void requireNothingForText(PassageOptions options) {
    if (options.isOfText()) {
      throw new BadInputException(
          "a window, a stride and a prefix go with text; all data are arrays, whose rows are fed as"
              + " they are");
    }
  }

  /** Tokens in a window of text. */
  public int length() {
    return windows.length();
  }

  /** Tokens from the beginning of one window to that of the next. */
  public int stride() {
    return windows.stride();
  }

  /**
   * Reads the data and hands on what the model is to be fed, in the order given.
   *
   * @param notices takes what the user should know about the data
   * @throws BadInputException if a file cannot be read, does not suit the model or holds nothing
   */
  public void forEach(Consumer<Passage> sink, Consumer<String> notices) {
    leftOut.forEach(notices);
    sources.forEach((name, files) -> read(name, files, sink, notices));
  }

  private void read(
      String name, List<DataSource> files, Consumer<Passage> sink, Consumer<String> notices) {
    int room = options.reading().blocks().orElse(Integer.MAX_VALUE);
    List<Path> texts =
        files.stream().filter(file -> !file.isArrays()).map(DataSource::path).toList();
    if (!texts.isEmpty()) {
      room -= readText(name, texts, sink, notices);
    }
    for (DataSource file : files) {
      if (file.isArrays() && room > 0) {
        room -= new ArrayPassages(name, inputs, size).read(file.path(), room, sink, notices);
      }
    }
  }

  /** Returns how many windows were made. */
  private int readText(
      String name, List<Path> files, Consumer<Passage> sink, Consumer<String> notices) {
    CalibrationOptions reading = options.reading();
    WindowBatches batches =
        new WindowBatches(name, inputs, inputs.tokensFor(files.get(0)), size, sink);
    try (TextTokenizer tokenizer =
        TextTokenizer.open(reading.tokenizer().orElseGet(folder::tokenizer))) {
      OptionalLong prefix = options.prefix().stream().mapToLong(tokenizer::idOf).findFirst();
      WindowCutter cutter =
          new WindowCutter(windows, reading.blocks().orElse(Integer.MAX_VALUE), batches::add);
      WindowedText text = new WindowedText(tokenizer, inputs.vocabulary(), prefix, windows, cutter);
      files.forEach(file -> text.read(file, reading.field()));
      batches.flush();
      tooShort(text).ifPresent(notice -> tell(name + ": " + notice, batches, notices));
      text.warnings(name).forEach(notices);
    }
    return batches.rows();
  }

  private static void tell(String notice, WindowBatches batches, Consumer<String> notices) {
    if (batches.rows() == 0) {
      throw new BadInputException(notice);
    }
    notices.accept(notice);
  }

  private static Optional<String> tooShort(WindowedText text) {
    return text.tooShort() == 0
        ? Optional.empty()
        : Optional.of(
            "%,d of %,d texts are one token, and nothing predicts a text's first one without --prefix"
                .formatted(text.tooShort(), text.documents()));
  }
}
