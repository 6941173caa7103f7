package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Calibration data, ready to be fed: each element is the feeds of one run of the model, with every
 * input that the model wants. Files are read and checked when this is opened, feeds are made as
 * they are asked for; going through them again gives the same.
 */
public final class Calibration implements Iterable<Map<String, Tensor>> {
  private final List<CalibrationSource> sources;
  private final FeedFiller filler;
  private final int batch;
  private final boolean isBatchFixed;

  private Calibration(List<CalibrationSource> sources, ModelInputs inputs, int batch) {
    this.sources = List.copyOf(sources);
    this.filler = new FeedFiller(inputs);
    this.batch = batch;
    this.isBatchFixed = inputs.batch().isPresent();
  }

  /**
   * Reads calibration data for a model.
   *
   * @param files {@code .npz} and {@code .npy} arrays, {@code .jsonl} and anything else as text
   * @param folder where the model lies, for its tokenizer and its longest sequence
   * @throws BadInputException if a file cannot be read, does not suit the model or holds nothing
   */
  public static Calibration open(
      List<Path> files, ModelFolder folder, Graph graph, CalibrationOptions options) {
    files.forEach(Calibration::requireFile);
    ModelInputs inputs = ModelInputs.of(graph);
    int batch = batch(options, inputs);
    List<CalibrationSource> sources = new ArrayList<>();
    int room = options.blocks().orElse(Integer.MAX_VALUE);
    List<Path> texts = files.stream().filter(file -> !isArrays(file)).toList();
    if (!texts.isEmpty()) {
      sources.add(TokenBlocks.read(texts, inputs, folder, options, room));
      room -= sources.get(0).samples();
    }
    for (Path arrays : files.stream().filter(Calibration::isArrays).toList()) {
      if (room > 0) {
        CalibrationSource source = NamedArrays.read(arrays, inputs, room);
        sources.add(source);
        room -= source.samples();
      }
    }
    return new Calibration(sources, inputs, batch).requireBatches();
  }

  private static void requireFile(Path file) {
    if (Files.isDirectory(file)) {
      throw new BadInputException(file + ": is a folder, wanted a file with calibration data");
    } else if (!Files.exists(file)) {
      throw new BadInputException(file + ": no such file");
    }
  }

  private static boolean isArrays(Path file) {
    return file.toString().endsWith(".npz") || file.toString().endsWith(".npy");
  }

  private static int batch(CalibrationOptions options, ModelInputs inputs) {
    OptionalLong fixed = inputs.batch();
    int batch = options.batch().orElse((int) fixed.orElse(1));
    if (fixed.isPresent() && fixed.getAsLong() != batch) {
      throw new BadInputException(
          "batch size %d, but the model takes exactly %d samples at a time"
              .formatted(batch, fixed.getAsLong()));
    }
    return batch;
  }

  private Calibration requireBatches() {
    if (batches() == 0) {
      throw new BadInputException(
          "%d samples, but the model takes exactly %d at a time"
              .formatted(sum(CalibrationSource::samples), batch));
    }
    return this;
  }

  /** How many runs of the model the data make. */
  public long batches() {
    return sum(this::batches);
  }

  /** The last batch of a source may be smaller, unless the model takes no smaller ones. */
  private int batches(CalibrationSource source) {
    int incomplete = !isBatchFixed && source.samples() % batch > 0 ? 1 : 0;
    return source.samples() / batch + incomplete;
  }

  /** How many tokens the model is fed, 0 if it takes none. */
  public long tokens() {
    return sum(source -> source.tokens() / source.samples() * fed(source));
  }

  /** How many samples the model is fed: blocks of text, rows of arrays. */
  public long samples() {
    return sum(this::fed);
  }

  private long fed(CalibrationSource source) {
    return Math.min(source.samples(), (long) batches(source) * batch);
  }

  private long sum(ToLongFunction<CalibrationSource> count) {
    return sources.stream().mapToLong(count).sum();
  }

  public List<DataFile> files() {
    return sources.stream().flatMap(source -> source.files().stream()).toList();
  }

  /** What the user should know about how the data were read; mostly nothing. */
  public List<String> notices() {
    List<String> notices = new ArrayList<>();
    for (CalibrationSource source : sources) {
      notices.addAll(source.notices());
      long left = source.samples() - fed(source);
      if (left > 0) {
        notices.add(
            "samples left out: %d, for the model takes %d at a time".formatted(left, batch));
      }
    }
    return List.copyOf(notices);
  }

  @Override
  public Iterator<Map<String, Tensor>> iterator() {
    return samplesFed().map(filler::fill).iterator();
  }

  /** The same with sequences cut to {@code width} tokens: enough to try a model on. */
  public Stream<Map<String, Tensor>> excerpts(int width) {
    return samplesFed().map(given -> filler.fill(Excerpt.of(given, width)));
  }

  private Stream<Map<String, Tensor>> samplesFed() {
    return sources.stream()
        .flatMap(
            source ->
                IntStream.range(0, batches(source))
                    .map(index -> index * batch)
                    .mapToObj(at -> source.samples(at, Math.min(batch, source.samples() - at))));
  }
}
